/* SPDX-License-Identifier: Apache-2.0
 * Transfers of volumes to other projects. The server generates the key, shows it once and stores only its
 * digest. Source: Block Storage API reference, "Volume transfer" and, since 3.55, "Volume transfers". */
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "base/crypto.h"
#include "base/random.h"
#include "engine/storage/volume/volume_transfer.h"
#include "model/volume_transfer.h"

static void write_links(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) name;
	os_write_volume_links(os_call_of(e), w, "os-volume-transfer", row->id);
}

enum { BRIEF_COUNT = 4 };
static const struct attribute transfer_rows[] = {
	ATTRIBUTE(volume_transfer, "id", row.id, .filter = "id"),
	ATTRIBUTE(volume_transfer, "volume_id", volume, .filter = "volume_id"),
	ATTRIBUTE(volume_transfer, "name", name, .flags = ATTRIBUTE_NULL_NONE, .filter = "name",
		  .sort = "name"),
	ATTRIBUTE_WRITTEN("links", write_links),
	ATTRIBUTE_AS(TIME_FINE, volume_transfer, "created_at", row.created_us),
	ATTRIBUTE(volume_transfer, "no_snapshots", with_snapshots, .flags = ATTRIBUTE_NOT, .since = 55),
	ATTRIBUTE_AS(HEX, volume_transfer, "source_project_id", account, .since = 57),
	ATTRIBUTE_CONST("destination_project_id", "null", .since = 57),
	ATTRIBUTE_CONST("accepted", "false", .since = 57),
};
static const struct attributes transfer_members = ATTRIBUTES(transfer_rows);

#define TRANSFERS(count)                                                                                     \
	{                                                                                                    \
		.kind = KIND_VOLUME_TRANSFER, .items = "transfers", .links = "transfers_links",              \
		.unknown_since = -1, .flags = OS_ALL_PROJECTS | OS_NEWEST_FIRST, .page_max = 1000,           \
		.attributes = &transfer_members, .shown_count = (count),                                     \
	}
static const struct os_listing transfer_briefs = TRANSFERS(BRIEF_COUNT);
static const struct os_listing transfer_details = TRANSFERS(0);

/* ---- one ---- */

#define TRANSFER_PATH(T, member)                                                                             \
	OS_PATH(T, "transfer_id", member, .kind = KIND_VOLUME_TRANSFER, .doc = "The transfer.")

struct os_transfer_target {
	struct volume_transfer_target wish;
};
static const struct param target_params[] = {TRANSFER_PATH(struct os_transfer_target, wish.transfer)};

/* ---- offer ---- */

struct os_transfer_offer {
	struct volume_transfer_wish wish;
	struct str key;
};
#define P(wire, member, ...) OS_BODY(struct os_transfer_offer, wire, member, __VA_ARGS__)
static const struct param offer_params[] = {
	P("volume_id", wish.volume, .flags = REQUIRED, .kind = KIND_VOLUME, .doc = "Volume to transfer."),
	P("name", wish.name, .flags = NULLABLE, .doc = "Name of the transfer; informational."),
	P("no_snapshots", wish.without_snapshots, .since = 55,
	  .doc = "Whether the snapshots of the volume stay behind."),
};
#undef P

static RESULT digest_key(struct os_call *e, struct str key, struct str *ret_digest)
{
	uint8_t digest[VOLUME_TRANSFER_KEY_SHA256_SIZE];
	crypto_sha256(key, digest);
	*ret_digest = str_copy(e->c->arena, (struct str){(const char *) digest, sizeof digest});
	return ret_digest->p ? OK : ctx_no_memory(e->c);
}

static RESULT prepare_offer(struct os_call *e, void *args)
{
	struct os_transfer_offer *a = args;
	uint8_t drawn[VOLUME_TRANSFER_KEY_SIZE];
	random_bytes(drawn, sizeof drawn);
	a->key = str_encode_hex(e->c->arena, drawn, sizeof drawn);
	crypto_wipe(drawn, sizeof drawn);
	return digest_key(e, a->key, &a->wish.key_sha256);
}

static RESULT show_offered(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_transfer_offer *a = args;
	json_write_text(w, "auth_key", a->key);
	return os_write_returned(e, &transfer_details, a->wish.transfer, w);
}

/* ---- accept ---- */

struct os_transfer_accept {
	struct volume_transfer_accept wish;
	struct str key;
};
static const struct param accept_params[] = {
	TRANSFER_PATH(struct os_transfer_accept, wish.transfer),
	OS_BODY(struct os_transfer_accept, "auth_key", key, .flags = REQUIRED, .min = 1,
		.doc = "Authorization key that the donor received."),
};

static RESULT prepare_accept(struct os_call *e, void *args)
{
	struct os_transfer_accept *a = args;
	return digest_key(e, a->key, &a->wish.key_sha256);
}

/* Accepting deletes the transfer's row, so the answer uses the operation's results. */
static RESULT show_accepted(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_transfer_accept *a = args;
	const struct volume_transfer was = {
		.row.id = a->wish.accepted, .volume = a->wish.volume, .name = a->wish.name};
	return os_write_row(e, &transfer_briefs, &was.row, w);
}

#define ACTIONS(all, from)                                                                                   \
	{HTTP_GET,                                                                                           \
	 all,                                                                                                \
	 .since = (from),                                                                                    \
	 .permit = "volume:get_all_transfers",                                                               \
	 .list = &transfer_briefs,                                                                           \
	 .doc = "Lists the pending volume transfers of the project."},                                       \
		{HTTP_GET,                                                                                   \
		 all "/detail",                                                                              \
		 .since = (from),                                                                            \
		 .permit = "volume:get_all_transfers",                                                       \
		 .list = &transfer_details,                                                                  \
		 .doc = "Lists the pending volume transfers of the project with details."},                  \
		{HTTP_POST,                                                                                  \
		 all,                                                                                        \
		 .since = (from),                                                                            \
		 .permit = "volume:create_transfer",                                                         \
		 .flags = API_WRITES,                                                                        \
		 .status = 202,                                                                              \
		 .args = OS_PARAMS(struct os_transfer_offer, offer_params),                                  \
		 .wrap = "transfer",                                                                         \
		 .item = "transfer",                                                                         \
		 .prepare = prepare_offer,                                                                   \
		 .operation = engine_offer_volume_run,                                                       \
		 .answer = show_offered,                                                                     \
		 .returns = KIND_VOLUME_TRANSFER,                                                            \
		 .doc = "Creates a transfer of a volume. The authorization key is shown once; whoever has "  \
			"it may accept."},                                                                   \
		{HTTP_GET,                                                                                   \
		 all "/{transfer_id}",                                                                       \
		 .since = (from),                                                                            \
		 .permit = "volume:get_transfer",                                                            \
		 .args = OS_PARAMS(struct os_transfer_target, target_params),                                \
		 .item = "transfer",                                                                         \
		 OS_SHOWS(transfer_details, struct os_transfer_target, wish.transfer),                       \
		 .doc = "Shows one volume transfer."},                                                       \
		{HTTP_POST,                                                                                  \
		 all "/{transfer_id}/accept",                                                                \
		 .since = (from),                                                                            \
		 .permit = "volume:accept_transfer",                                                         \
		 .flags = API_WRITES,                                                                        \
		 .status = 202,                                                                              \
		 .args = OS_PARAMS(struct os_transfer_accept, accept_params),                                \
		 .wrap = "accept",                                                                           \
		 .item = "transfer",                                                                         \
		 .prepare = prepare_accept,                                                                  \
		 .operation = engine_accept_volume_run,                                                      \
		 .answer = show_accepted,                                                                    \
		 .returns = API_RETURNS_NOTHING_STORED,                                                      \
		 .doc = "Accepts a volume that another project transfers."},                                 \
	{                                                                                                    \
		HTTP_DELETE, all "/{transfer_id}",                                                           \
			.since = (from), .permit = "volume:delete_transfer", .flags = API_WRITES,            \
			.status = 202, .args = OS_PARAMS(struct os_transfer_target, target_params),          \
			.operation = engine_withdraw_volume_run, .doc = "Cancels a volume transfer."         \
	}
static const struct os_action actions[] = {
	ACTIONS("/v3/{project_id}/os-volume-transfer", 0),
	ACTIONS("/v3/{project_id}/volume-transfers", 55),
};
const struct os_actions os_volume_transfer_actions = OS_ACTIONS(OS_VOLUME, actions);

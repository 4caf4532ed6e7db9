/* SPDX-License-Identifier: Apache-2.0
 * Transfers of volumes to other projects. The server generates the key, shows it once and stores only its
 * digest. Source: Block Storage API reference, "Volume transfer" and, since 3.55, "Volume transfers". */
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "base/crypto.h"
#include "base/random.h"
#include "engine/storage/volume/volume_transfer.h"
#include "model/volume_transfer.h"

static void write_brief(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct volume_transfer *t = item;
	os_write_id(w, "id", t->row.id);
	os_write_id(w, "volume_id", t->volume);
	json_write_text_or_null(w, "name", t->name);
	os_write_volume_links(e, w, "os-volume-transfer", t->row.id);
}

static void write_transfer(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct volume_transfer *t = item;
	write_brief(e, w, t);
	os_write_time_us(w, "created_at", t->row.created_us);
	if (e->request.version >= 55)
		json_write_bool(w, "no_snapshots", !t->with_snapshots);
	if (e->request.version < 57)
		return;
	os_write_hex(w, "source_project_id", t->account);
	json_write_null(w, "destination_project_id");
	json_write_bool(w, "accepted", false);
}

static const struct os_filter transfer_filters[] = {
	{"name", "name"}, {"id", .is_id = true}, {"volume_id", "volume"}};
static const struct os_sort_key transfer_sort_keys[] = {{"name", "name"}};
#define TRANSFERS(write_them)                                                                                \
	{                                                                                                    \
		.kind = KIND_VOLUME_TRANSFER, .items = "transfers", .links = "transfers_links",              \
		.unknown_since = -1, .filters = OS_FILTERS(transfer_filters),                                \
		.sort_keys = {transfer_sort_keys, 1}, .flags = OS_ALL_PROJECTS | OS_NEWEST_FIRST,            \
		.page_max = 1000, .write = (write_them),                                                     \
	}
static const struct os_listing transfer_briefs = TRANSFERS(write_brief);
static const struct os_listing transfer_details = TRANSFERS(write_transfer);

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
	P("volume_id", wish.volume, .flags = REQUIRED, .kind = KIND_VOLUME, .doc = "What is offered."),
	P("name", wish.name, .flags = NULLABLE, .doc = "For people."),
	P("no_snapshots", wish.without_snapshots, .since = 55, .doc = "Its snapshots stay."),
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
		.doc = "As it was shown to who offered."),
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
	write_brief(e, w, &was);
	return OK;
}

#define ACTIONS(all, from)                                                                                   \
	{HTTP_GET,                                                                                           \
	 all,                                                                                                \
	 .since = (from),                                                                                    \
	 .permit = "volume:get_all_transfers",                                                               \
	 .list = &transfer_briefs,                                                                           \
	 .doc = "Volumes that the project offers."},                                                         \
		{HTTP_GET,                                                                                   \
		 all "/detail",                                                                              \
		 .since = (from),                                                                            \
		 .permit = "volume:get_all_transfers",                                                       \
		 .list = &transfer_details,                                                                  \
		 .doc = "The same, with more of each."},                                                     \
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
		 .doc = "Offers a volume to whoever gets the key, which is shown here alone."},              \
		{HTTP_GET,                                                                                   \
		 all "/{transfer_id}",                                                                       \
		 .since = (from),                                                                            \
		 .permit = "volume:get_transfer",                                                            \
		 .args = OS_PARAMS(struct os_transfer_target, target_params),                                \
		 .item = "transfer",                                                                         \
		 OS_SHOWS(transfer_details, struct os_transfer_target, wish.transfer),                       \
		 .doc = "One offer."},                                                                       \
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
		 .doc = "Takes a volume that another project offers."},                                      \
	{                                                                                                    \
		HTTP_DELETE, all "/{transfer_id}",                                                           \
			.since = (from), .permit = "volume:delete_transfer", .flags = API_WRITES,            \
			.status = 202, .args = OS_PARAMS(struct os_transfer_target, target_params),          \
			.operation = engine_withdraw_volume_run, .doc = "Withdraws an offer."                \
	}
static const struct os_action actions[] = {
	ACTIONS("/v3/{project_id}/os-volume-transfer", 0),
	ACTIONS("/v3/{project_id}/volume-transfers", 55),
};
const struct os_actions os_volume_transfer_actions = OS_ACTIONS(OS_VOLUME, actions);

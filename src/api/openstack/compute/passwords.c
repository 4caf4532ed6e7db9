/* SPDX-License-Identifier: Apache-2.0
 * Passwords of servers: the one that Nova draws when it makes a server, which reaches a guest by its config
 * drive alone, and the one that a guest tells of itself, encrypted for its key pair's owner. Source: Compute
 * API reference, "Create server", "Servers password"; Nova's documentation, "Metadata". */
#include "api/openstack/compute/servers.h"
#include "base/crypto.h"
#include "engine/instance/instance.h"
#include "model/instance.h"

/* ---- the one that is drawn ---- */

enum { DRAWN_LENGTH = 16 };

/* Without those that are mistaken for each other. A power of two, so that each is as likely. */
static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
_Static_assert(sizeof alphabet - 1 == 32, "five bits a character");

/* From the call's own random id under the master key: nobody else can tell it, and nothing has to be kept. */
static struct str draw(struct os_call *e)
{
	uint8_t bytes[SHA256_SIZE];
	char *p = arena_alloc(e->c->arena, DRAWN_LENGTH);
	struct str of = str_print(e->c->arena, "adminPass %" STR_FMT, STR_ARG(e->c->request_id));
	crypto_hmac_sha256(e->config->master_key, MASTER_KEY_SIZE, of, bytes);
	for (size_t k = 0; p && k < DRAWN_LENGTH; k++)
		p[k] = alphabet[bytes[k] % 32];
	crypto_wipe(bytes, sizeof bytes);
	return p ? (struct str){p, DRAWN_LENGTH} : STR_NONE;
}

RESULT os_draw_password(struct os_call *e, struct str *password)
{
	if (str_is_empty(*password))
		*password = draw(e);
	return password->p ? OK : ctx_no_memory(e->c);
}

RESULT os_seal_password(struct os_call *e, uuid account, struct str password, struct str *ret_sealed)
{
	return crypto_seal(e->c, e->config->master_key, uuid_to_str(e->c->arena, account), password,
			   ret_sealed);
}

/* ---- the one that the guest tells ---- */

struct os_guest_password {
	struct instance_target wish;
};
static const struct param target_params[] = {OS_SERVER(struct os_guest_password, wish.instance)};

static RESULT prepare_clear(struct os_call *e, void *args)
{
	const struct instance *instance = NULL;
	return os_find_server(e, &((struct os_guest_password *) args)->wish.instance, &instance);
}

static RESULT show_password(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct instance *instance = NULL;
	TRY(os_find_server(e, &((const struct os_guest_password *) args)->wish.instance, &instance));
	json_write_text(w, "password", instance->guest_password);
	return OK;
}

#define PASSWORD "/v2.1/servers/{server_id}/os-server-password"
#define ARGS OS_PARAMS(struct os_guest_password, target_params)
static const struct os_action actions[] = {
	{HTTP_GET, PASSWORD, .permit = "os_compute_api:os-server-password:show", .args = ARGS,
	 .answer = show_password, .doc = "What its guest says its password is, encrypted."},
	{HTTP_DELETE, PASSWORD, .permit = "os_compute_api:os-server-password:clear", .flags = API_WRITES,
	 .status = 204, .args = ARGS, .prepare = prepare_clear, .operation = engine_clear_guest_password_run,
	 .doc = "Takes that away: the guest may tell another one."},
};
const struct os_actions os_server_password_actions = OS_ACTIONS(OS_COMPUTE, actions);

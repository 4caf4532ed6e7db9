/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's password server on port 8080: answers a guest's request for its new password until the guest
 * acknowledges it. The header DomU_Request selects the action. Source: cloud-init, DataSourceCloudStack;
 * CloudStack's virtual router, 4.18.
 */
#include "api/core/park.h"
#include "api/metadata/imds.h"
#include "api/metadata/internal.h"
#include "base/crypto.h"
#include "engine/instance/instance.h"
#include "model/instance.h"

#define SAVED "saved_password"

static void answer(struct call *call, int status, struct str words)
{
	struct buf body;
	buf_init(&body, 4096);
	buf_add_str(&body, words);
	call_answer(call, status, "text/plain", &body);
}

static void fail(struct call *call, struct result result)
{
	(void) result; /* the failure is logged */
	answer(call, 500, STR("500 - Internal Server Error"));
}

/* ---- send_my_password ---- */

static void told(struct audit_call *a, struct result written)
{
	if (result_is_ok(written)) {
		call_answer(a->call, 200, "text/plain", &a->body);
		return;
	}
	buf_done(&a->body);
	fail(a->call, written);
}

static void tell(struct metadata *m, struct call *call, const struct instance *i, struct str password)
{
	struct audit_call *a =
		audit_begin(call, audited_find_recorded("metadata:send_my_password"), "metadata");
	if (!a) {
		fail(call, FAIL(NO_MEMORY));
		return;
	}
	a->record.texts[AUDIT_ACCOUNT] = call->account_number;
	a->record.texts[AUDIT_CREDENTIAL] = STR("instance");
	audit_add_subject(a, "InstanceId", id_to_ec2(call->ctx.arena, KIND_INSTANCE, i->row.id));
	buf_init(&a->body, 4096);
	buf_add_str(&a->body, password);
	(void) api_record(a, m->config.store, OK, STR_NONE, told); /* always true: there is no record yet */
}

static void send_password(struct metadata *m, struct call *call, const struct instance *i)
{
	struct str password = STR_NONE, owner = uuid_to_str(call->ctx.arena, i->account);
	if (str_is_empty(i->admin_password)) {
		answer(call, 200, STR(SAVED));
		return;
	}
	struct result r = crypto_open(&call->ctx, m->config.master_key, owner, i->admin_password, &password);
	if (result_is_ok(r))
		tell(m, call, i, password);
	else
		fail(call, r);
}

/* ---- saved_password ---- */

struct taking {
	struct guest_password_taking wish;
	struct api_change change;
};

static void answer_taken(struct call *call, struct result result)
{
	if (result_is_ok(result))
		answer(call, 200, STR(SAVED));
	else
		fail(call, result);
}

static void take(struct metadata *m, struct call *call, const struct instance *i)
{
	struct taking *t = arena_new_object(call->ctx.arena, struct taking);
	if (!t) {
		fail(call, FAIL(NO_MEMORY));
		return;
	}
	*t = (struct taking){.wish = {.instance = i->row.id}};
	t->change = (struct api_change){
		.action = "metadata:saved_password", .run = engine_take_admin_password_run, .wish = &t->wish};
	call->face_data = t;
	api_commit(call, m->config.store, &t->change, answer_taken);
}

/* ---- the whole ---- */

bool imds_answer_password(struct metadata *m, struct call *call, const struct imds_facts *s)
{
	struct str wanted = call_header(call, "DomU_Request");
	if (str_is_empty(wanted) || !m->config.master_key ||
	    s->instance->personality != INSTANCE_PERSONALITY_CLOUDSTACK)
		return false;
	call->action = "password";
	if (str_is(wanted, "send_my_password"))
		send_password(m, call, s->instance);
	else if (str_is(wanted, SAVED))
		take(m, call, s->instance);
	else
		answer(call, 400, STR("bad_request"));
	return true;
}

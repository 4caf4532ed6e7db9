/* SPDX-License-Identifier: Apache-2.0
 * Helpers that Keystone's answers share. */
#include "api/openstack/identity/identity.h"

#include <stdio.h>

#include "api/openstack/core/read_policies.h"
#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"
#include "engine/people/user_owned.h"
#include "model/user.h"
#include "store/account.h"
#include "store/domain.h"

void os_write_domain_id(struct json_writer *w, const char *key, uuid domain)
{
	if (uuid_equal(domain, DOMAIN_DEFAULT))
		json_write_z(w, key, "default");
	else
		os_write_hex(w, key, domain);
}

void os_write_domain(struct os_call *e, struct json_writer *w, uuid id)
{
	const struct domain *domain = domain_find(os_tables(e), id);
	json_write_open(w, "domain");
	os_write_domain_id(w, "id", id);
	json_write_text(w, "name", domain ? domain->name : STR_NONE);
	json_write_close(w);
}

void os_write_self(struct os_call *e, struct json_writer *w, const char *collection, uuid id)
{
	struct str text = uuid_equal(id, DOMAIN_DEFAULT) ? STR("default")
							 : str_encode_hex(e->c->arena, id.b, sizeof id.b);
	json_write_open(w, "links");
	json_write_text(w, "self",
			str_print(e->c->arena, "%" STR_FMT "/%s/%" STR_FMT,
				  STR_ARG(os_service_url(e, OS_IDENTITY)), collection, STR_ARG(text)));
	json_write_close(w);
}

void os_write_utc(struct json_writer *w, const char *key, int64_t time_us)
{
	char seconds[CLOCK_TEXT_SIZE], text[CLOCK_TEXT_SIZE + 8];
	if (!time_us) {
		json_write_null(w, key);
		return;
	}
	size_t n = strlen(clock_write_s(time_us, seconds)) - 1; /* without the Z */
	(void) snprintf(text, sizeof text, "%.*s.%06dZ", (int) n, seconds, (int) (time_us % SECOND));
	json_write_z(w, key, text);
}

void os_write_list_links(struct os_call *e, struct json_writer *w)
{
	json_write_open(w, "links");
	json_write_null(w, "next");
	json_write_text(w, "self",
			str_print(e->c->arena, "%" STR_FMT "/identity%" STR_FMT, STR_ARG(e->base_url),
				  STR_ARG(e->path)));
	json_write_null(w, "previous");
	json_write_close(w);
}

RESULT os_list_people(struct os_call *e, const struct os_listing *list, struct json_writer *w)
{
	TRY(os_list(e, list, w));
	os_write_list_links(e, w);
	return OK;
}

RESULT os_list_rows(struct os_call *e, const char *items, const struct row *const *rows, size_t count,
		    void (*write)(struct os_call *e, struct json_writer *w, const void *item),
		    struct json_writer *w)
{
	json_write_open_list(w, items);
	for (size_t k = 0; k < count; k++) {
		json_write_open(w, NULL);
		write(e, w, rows[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

struct ref os_own_domain(const struct os_call *e)
{
	uuid id = uuid_is_none(e->c->who->domain) ? DOMAIN_DEFAULT : e->c->who->domain;
	return ref_by_id(KIND_DOMAIN, id);
}

RESULT os_check_domain(struct os_call *e, const struct ref *said, const struct row *row, uuid domain)
{
	if (!ref_is_given(said) || !row || !engine_may_see(e->c, row->kind, row) ||
	    (said->bits == 128 && uuid_equal(said->prefix, domain)))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("domain_id"), "Cannot change Domain ID");
}

RESULT os_check_self(struct os_call *e, const struct ref *user)
{
	if (os_is_admin(e) || (user->bits == 128 && uuid_equal(user->prefix, e->c->who->user)))
		return OK;
	return ctx_fail(e->c, ERR_DENIED, "You are not authorized to perform the requested action: %s.",
			e->action->permit);
}

RESULT os_check_own(struct os_call *e, const char *permission, const struct ref *user,
		    const struct user **ret_user)
{
	const struct row *row = NULL;
	TRY(os_check_self(e, user));
	TRY(engine_find(e->c, os_tables(e), KIND_USER, user, &row));
	*ret_user = user_of(row);
	return engine_check_own(e->c, os_tables(e), permission, *ret_user, e->c->who->account);
}

void os_write_password_expiry(struct json_writer *w, int64_t expires_us)
{
	if (expires_us)
		os_write_time_us(w, "password_expires_at", expires_us);
	else
		json_write_null(w, "password_expires_at");
}

uuid os_user_domain(const struct tables *t, const struct user *user)
{
	const struct account *account = account_find(t, user->account);
	return account ? account->domain : user->domain;
}

/* ---- roles that are handed on ---- */

static const struct param role_params[] = {
	OS_BODY(struct os_role_words, "id", id, .kind = KIND_ROLE, .doc = "Role by id."),
	OS_BODY(struct os_role_words, "name", name, .doc = "Role by name, instead of its id."),
	OS_UNBUILT("domain_id"),
};
const struct params os_role_table = OS_PARAMS(struct os_role_words, role_params);

RESULT os_read_roles(struct os_call *e, const struct os_role_list *list, struct refs *ret_roles)
{
	struct ref *roles = arena_new_array(e->c->arena, struct ref, list->count);
	if (!roles)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < list->count; k++)
		roles[k] = list->at[k].id.kind != KIND_NONE
				   ? list->at[k].id
				   : (struct ref){.kind = KIND_ROLE, .text = list->at[k].name};
	*ret_roles = (struct refs){roles, list->count};
	return OK;
}

/* SPDX-License-Identifier: Apache-2.0
 * LDAP by OpenLDAP's client library. */
#include "drivers/ldap_directory.h"

#include <ldap.h>
#include <sys/time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/uuid.h"
#include "base/vec.h"

enum { FILTER_CAP = 16 * 1024, ID_SIZE = 16 };

struct connection {
	LDAP *ldap;
};
static void connection_close(struct connection *s)
{
	if (s->ldap)
		(void) ldap_unbind_ext_s(s->ldap, NULL, NULL);
}
#define AUTO_CONNECTION __attribute__((cleanup(connection_close))) struct connection

static void message_free(LDAPMessage **m)
{
	if (*m)
		(void) ldap_msgfree(*m);
}
#define AUTO_MESSAGE __attribute__((cleanup(message_free))) LDAPMessage *

/* ---- filters ---- */

/* RFC 4515, section 3: *, (, ), \ and NUL as a backslash and two digits. */
static void write_escaped(struct buf *b, struct str value)
{
	for (size_t k = 0; k < value.n; k++) {
		unsigned char byte = (unsigned char) value.p[k];
		if (byte == '*' || byte == '(' || byte == ')' || byte == '\\' || byte == '\0')
			buf_print(b, "\\%02x", byte);
		else
			buf_add_char(b, (char) byte);
	}
}

struct str ldap_write_filter(struct arena *a, struct str filter, struct str name, struct str dn)
{
	struct buf b;
	buf_init(&b, FILTER_CAP);
	for (size_t k = 0; k < filter.n;) {
		struct str rest = str_slice(filter, k, filter.n);
		bool is_name = str_starts_with(rest, STR("{name}")),
		     is_dn = str_starts_with(rest, STR("{dn}"));
		if (is_name || is_dn)
			write_escaped(&b, is_name ? name : dn);
		else
			buf_add_char(&b, filter.p[k]);
		k += is_name ? sizeof "{name}" - 1 : is_dn ? sizeof "{dn}" - 1 : 1;
	}
	struct str text = result_is_ok(buf_finish(&b)) ? str_copy(a, buf_str(&b)) : STR_NONE;
	buf_done(&b);
	return text;
}

/* Bytes of a little-endian GUID (MS-DTYP 2.3.4), in the order in which its text names them. */
static const uint8_t guid_order[ID_SIZE] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static void write_id(struct buf *b, struct str attribute, struct str id)
{
	uuid guid;
	if (!str_equal_nocase(attribute, STR("objectGUID")) || !result_is_ok(uuid_parse(id, &guid))) {
		write_escaped(b, id);
		return;
	}
	for (size_t k = 0; k < ID_SIZE; k++)
		buf_print(b, "\\%02x", guid.b[guid_order[k]]);
}

struct str ldap_write_id_filter(struct arena *a, struct str filter, struct str attribute, struct str id)
{
	struct buf b;
	buf_init(&b, FILTER_CAP);
	buf_print(&b, "(&(%" STR_FMT "=", STR_ARG(attribute));
	write_id(&b, attribute, id);
	buf_add_char(&b, ')');
	for (size_t k = 0; k < filter.n;) {
		bool is_name = str_starts_with(str_slice(filter, k, filter.n), STR("{name}"));
		buf_add_char(&b, is_name ? '*' : filter.p[k]);
		k += is_name ? sizeof "{name}" - 1 : 1;
	}
	buf_add_char(&b, ')');
	struct str text = result_is_ok(buf_finish(&b)) ? str_copy(a, buf_str(&b)) : STR_NONE;
	buf_done(&b);
	return text;
}

/* ---- the connection ---- */

/* The server's own words say more than the code does: Active Directory tells there why it refuses an account. */
static RESULT fail(struct ctx *c, const struct connection *s, const char *what, int code)
{
	char *words = NULL;
	if (s->ldap)
		(void) ldap_get_option(s->ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &words);
	struct result r = ctx_fail(c, ERR_IO, "the directory: %s: %s%s%.200s", what, ldap_err2string(code),
				   words && *words ? ": " : "", words ? words : "");
	ldap_memfree(words);
	return r;
}

static bool set_options(LDAP *ldap, struct ctx *c, const struct ldap_directory *d)
{
	const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND, is_server = 0;
	const struct timeval limit = {.tv_sec = d->timeout_us / SECOND, .tv_usec = d->timeout_us % SECOND};
	bool is_set = ldap_set_option(ldap, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS &&
		      ldap_set_option(ldap, LDAP_OPT_NETWORK_TIMEOUT, &limit) == LDAP_OPT_SUCCESS &&
		      ldap_set_option(ldap, LDAP_OPT_TIMEOUT, &limit) == LDAP_OPT_SUCCESS &&
		      ldap_set_option(ldap, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS &&
		      ldap_set_option(ldap, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) == LDAP_OPT_SUCCESS;
	if (is_set && d->authority.n)
		is_set = ldap_set_option(ldap, LDAP_OPT_X_TLS_CACERTFILE, str_to_z(c->arena, d->authority)) ==
			 LDAP_OPT_SUCCESS;
	/* the context takes over the options of TLS that are set before it */
	return is_set && ldap_set_option(ldap, LDAP_OPT_X_TLS_NEWCTX, &is_server) == LDAP_OPT_SUCCESS;
}

/* A full arena leaves the DN empty, and a server may take that for an anonymous bind: it succeeds. */
static int bind_as(struct connection *s, struct ctx *c, struct str dn, struct str password)
{
	struct str copy = str_copy(c->arena, password);
	struct berval secret = {.bv_len = copy.n, .bv_val = (char *) copy.p};
	const char *name = str_to_z(c->arena, dn);
	if (arena_is_full(c->arena))
		return LDAP_NO_MEMORY;
	int code = ldap_sasl_bind_s(s->ldap, name, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
	crypto_wipe(secret.bv_val, secret.bv_len);
	return code;
}

static RESULT connect_to(struct ctx *c, const struct ldap_directory *d, struct connection *ret_connection)
{
	int code = ldap_initialize(&ret_connection->ldap, str_to_z(c->arena, d->url));
	if (code != LDAP_SUCCESS)
		return fail(c, ret_connection, "its URL", code);
	if (!set_options(ret_connection->ldap, c, d))
		return fail(c, ret_connection, "its certificate authority", LDAP_PARAM_ERROR);
	if (d->uses_start_tls && (code = ldap_start_tls_s(ret_connection->ldap, NULL, NULL)) != LDAP_SUCCESS)
		return fail(c, ret_connection, "StartTLS", code);
	code = bind_as(ret_connection, c, d->bind_name, d->bind_name.n ? d->bind_password : STR_NONE);
	return code == LDAP_SUCCESS ? OK : fail(c, ret_connection, "the account that searches it", code);
}

/* ---- entries ---- */

static struct str read_value(struct connection *s, struct arena *a, LDAPMessage *entry, struct str attribute)
{
	struct berval **values =
		attribute.n ? ldap_get_values_len(s->ldap, entry, str_to_z(a, attribute)) : NULL;
	struct str value = STR_NONE;
	if (values && values[0] && values[0]->bv_len <= LDAP_TEXT_MAX)
		value = str_copy(a, (struct str){values[0]->bv_val, values[0]->bv_len});
	ldap_value_free_len(values);
	return value;
}

/* Active Directory's objectGUID is 16 bytes, of which the first three numbers are little-endian (MS-DTYP 2.3.4). */
static struct str read_id(struct connection *s, struct arena *a, LDAPMessage *entry, struct str attribute)
{
	struct str value = read_value(s, a, entry, attribute);
	if (value.n != ID_SIZE || str_is_line(value))
		return str_is_line(value) ? value : str_encode_hex(a, value.p, value.n);
	uuid id;
	for (size_t k = 0; k < ID_SIZE; k++)
		id.b[k] = (uint8_t) value.p[guid_order[k]];
	return uuid_to_str(a, id);
}

static int search(struct connection *s, struct ctx *c, struct str base, struct str filter,
		  const struct str *attributes, size_t count, int most, LDAPMessage **ret_found)
{
	char *names[4] = {NULL};
	for (size_t k = 0, n = 0; k < count; k++)
		if (attributes[k].n)
			names[n++] = (char *) str_to_z(c->arena, attributes[k]);
	const char *base_z = str_to_z(c->arena, base), *filter_z = str_to_z(c->arena, filter);
	return arena_is_full(c->arena) ? LDAP_NO_MEMORY
				       : ldap_search_ext_s(s->ldap, base_z, LDAP_SCOPE_SUBTREE, filter_z,
							   names, 0, NULL, NULL, NULL, most, ret_found);
}

static RESULT read_person(struct connection *s, struct ctx *c, const struct ldap_directory *d,
			  LDAPMessage *entry, struct ldap_person *ret)
{
	char *dn = ldap_get_dn(s->ldap, entry);
	ret->dn = str_copy(c->arena, str_from(dn));
	ldap_memfree(dn);
	ret->id = read_id(s, c->arena, entry, d->id_attribute);
	ret->name = read_value(s, c->arena, entry, d->name_attribute);
	ret->mail = read_value(s, c->arena, entry, d->mail_attribute);
	if (ret->dn.n && ret->id.n && ret->name.n)
		return OK;
	return ctx_fail(c, ERR_IO, "the directory: an entry without a DN, %" STR_FMT " or %" STR_FMT,
			STR_ARG(d->id_attribute), STR_ARG(d->name_attribute));
}

/* *ret_count: the entries that fit, 2 for any more; *ret is filled if there is a single one. */
static RESULT find_people(struct connection *s, struct ctx *c, const struct ldap_directory *d,
			  struct str filter, int *ret_count, struct ldap_person *ret)
{
	AUTO_MESSAGE found = NULL;
	const struct str attributes[] = {d->name_attribute, d->id_attribute, d->mail_attribute};
	if (!filter.p)
		return ctx_no_memory(c);
	int code = search(s, c, d->user_base, filter, attributes, 3, 2, &found);
	if (code != LDAP_SUCCESS && code != LDAP_SIZELIMIT_EXCEEDED)
		return fail(c, s, "its people", code);
	*ret_count = code == LDAP_SUCCESS ? ldap_count_entries(s->ldap, found) : 2;
	return *ret_count == 1 ? read_person(s, c, d, ldap_first_entry(s->ldap, found), ret) : OK;
}

/* Two entries that fit are nobody: which of them the name means would be the server's order. */
static RESULT find_person(struct connection *s, struct ctx *c, const struct ldap_directory *d,
			  struct str name, struct ldap_person *ret)
{
	int count = 0;
	TRY(find_people(s, c, d, ldap_write_filter(c->arena, d->user_filter, name, STR_NONE), &count, ret));
	return count == 1 ? OK
			  : ctx_fail(c, ERR_UNAUTHENTICATED, "the directory has %s of that name",
				     count ? "several people" : "nobody");
}

static RESULT find_groups(struct connection *s, struct ctx *c, const struct ldap_directory *d,
			  struct ldap_person *person)
{
	AUTO_MESSAGE found = NULL;
	VEC(struct str) names = {0};
	if (!d->group_base.n)
		return OK;
	struct str filter = ldap_write_filter(c->arena, d->group_filter, person->name, person->dn);
	if (!filter.p)
		return ctx_no_memory(c);
	int code = search(s, c, d->group_base, filter, &d->group_name_attribute, 1, LDAP_GROUPS_MAX, &found);
	if (code != LDAP_SUCCESS)
		return fail(c, s, "its groups", code);
	for (LDAPMessage *e = ldap_first_entry(s->ldap, found); e; e = ldap_next_entry(s->ldap, e)) {
		struct str name = read_value(s, c->arena, e, d->group_name_attribute);
		if (name.n && !VEC_PUSH(c->arena, &names, name))
			return ctx_no_memory(c);
	}
	person->groups = (struct strs){names.at, names.count};
	return OK;
}

RESULT ldap_directory_prove(struct ctx *c, const struct ldap_directory *d, struct str name,
			    struct str password, struct ldap_person *ret_person)
{
	AUTO_CONNECTION s = {0};
	*ret_person = (struct ldap_person){0};
	if (!name.n || name.n > LDAP_TEXT_MAX || !password.n || memchr(password.p, '\0', password.n))
		return ctx_fail(c, ERR_UNAUTHENTICATED, "no name, or no password");
	TRY(connect_to(c, d, &s));
	TRY(find_person(&s, c, d, name, ret_person));
	TRY(find_groups(&s, c, d, ret_person));
	int code = bind_as(&s, c, ret_person->dn, password);
	if (code == LDAP_INVALID_CREDENTIALS || code == LDAP_INAPPROPRIATE_AUTH ||
	    code == LDAP_INSUFFICIENT_ACCESS || code == LDAP_UNWILLING_TO_PERFORM ||
	    code == LDAP_CONSTRAINT_VIOLATION)
		return ctx_fail(c, ERR_UNAUTHENTICATED, "the directory refuses the password");
	return code == LDAP_SUCCESS ? OK : fail(c, &s, "a person's password", code);
}

RESULT ldap_directory_find(struct ctx *c, const struct ldap_directory *d, const struct str *ids, size_t count,
			   struct ldap_person *ret_people)
{
	AUTO_CONNECTION s = {0};
	TRY(connect_to(c, d, &s));
	for (size_t k = 0; k < count; k++) {
		struct str filter = ldap_write_id_filter(c->arena, d->user_filter, d->id_attribute, ids[k]);
		int found = 0;
		ret_people[k] = (struct ldap_person){0};
		TRY(find_people(&s, c, d, filter, &found, &ret_people[k]));
		if (found > 1)
			return ctx_fail(c, ERR_IO,
					"the directory: several people have the %" STR_FMT " %" STR_FMT,
					STR_ARG(d->id_attribute), STR_ARG(ids[k]));
		if (found)
			TRY(find_groups(&s, c, d, &ret_people[k]));
	}
	return OK;
}

RESULT ldap_directory_check(struct ctx *c, const struct ldap_directory *d)
{
	AUTO_CONNECTION s = {0};
	const struct str bases[] = {d->user_base, d->group_base};
	TRY(connect_to(c, d, &s));
	for (size_t k = 0; k < sizeof bases / sizeof *bases; k++) {
		AUTO_MESSAGE found = NULL;
		int code = bases[k].n ? ldap_search_ext_s(s.ldap, str_to_z(c->arena, bases[k]),
							  LDAP_SCOPE_BASE, "(objectClass=*)", NULL, 1, NULL,
							  NULL, NULL, 1, &found)
				      : LDAP_SUCCESS;
		if (code != LDAP_SUCCESS)
			return fail(c, &s, k ? "directory.group_base" : "directory.people", code);
	}
	return OK;
}

/* SPDX-License-Identifier: Apache-2.0
 * dari sign-in …: identity providers by which people of a domain sign in, and whether their passwords count. */
#include "daemon/client/ask.h"
#include "daemon/command.h"

#define COUNT(members) (sizeof members / sizeof *members)

/* ---- finding ---- */

struct protocol {
	const char *name, *kind, *path, *issuer;
};
static const struct protocol protocols[] = {{"oidc", "OpenID Connect", "/oidc-providers", "url"},
					    {"saml", "SAML", "/saml-providers", "entity_id"}};

/* The provider with that id, issuer, or name on the sign-in page. */
static bool is_meant(const struct protocol *p, const json_t *row, struct str said)
{
	return str_equal(asking_text(row, "id"), said) || str_equal(asking_text(row, p->issuer), said) ||
	       str_equal(asking_text(row, "sign_in_name"), said);
}

static RESULT find_provider(struct asking *a, const struct protocol **ret_protocol, const json_t **ret_row)
{
	struct str said = asking_arg(a, "provider");
	size_t count = 0;
	for (size_t k = 0; k < COUNT(protocols); k++) {
		const json_t *rows = NULL;
		json_t *row = NULL;
		size_t n = 0;
		TRY(asking_list(a, protocols[k].path, "*", &rows));
		json_array_foreach (rows, n, row)
			if (is_meant(&protocols[k], row, said)) {
				*ret_protocol = &protocols[k];
				*ret_row = row;
				count++;
			}
	}
	if (count == 1)
		return OK;
	return ctx_fail_field(a->c, count ? ERR_INVALID : ERR_NOT_FOUND, STR("provider"),
			      count ? "several providers are called %" STR_FMT "; give an id"
				    : "there is no provider %" STR_FMT,
			      STR_ARG(said));
}

static const char *sign_in_path(struct asking *a, const struct protocol *p, struct str id)
{
	return str_print(a->c->arena, "%s/%" STR_FMT "/sign-in", p->path, STR_ARG(id)).p;
}

/* ---- listing ---- */

static RESULT say_providers(struct asking *a, const struct protocol *p)
{
	const json_t *rows = NULL;
	json_t *row = NULL;
	size_t k = 0;
	TRY(asking_list(a, p->path, "*", &rows));
	json_array_foreach (rows, k, row) {
		struct str name = asking_text(row, "sign_in_name"), issuer = asking_text(row, p->issuer);
		if (!asking_text(row, "sign_in_domain").n)
			continue;
		buf_print(&a->text, "%-36.*s %-14s %-24.*s %" STR_FMT "\n", STR_ARG(asking_text(row, "id")),
			  p->kind, STR_ARG(name), STR_ARG(issuer));
		(void) json_array_append(a->value, row);
	}
	return OK;
}

static RESULT list_sign_ins(struct asking *a)
{
	buf_print(&a->text, "%-36s %-14s %-24s %s\n", "id", "protocol", "name", "issuer");
	for (size_t k = 0; k < COUNT(protocols); k++)
		TRY(say_providers(a, &protocols[k]));
	return OK;
}

/* ---- adding ---- */

static const struct carried oidc_members[] = {
	{.member = "url", .param = "url"},
	{.member = "account", .param = "account"},
	{.member = "thumbprints", .param = "thumbprint", .how = CARRY_LINES}};
static const struct carried saml_members[] = {
	{.member = "name", .param = "name"},
	{.member = "account", .param = "account"},
	{.member = "metadata", .param = "metadata", .how = CARRY_FILE},
};
static const struct carried common_members[] = {
	{.member = "name", .param = "title"},
	{.member = "domain", .param = "domain"},
	{.member = "makes_users", .param = "make-users"},
	{.member = "groups", .param = "group", .how = CARRY_LINES},
};
static const struct carried oidc_sign_in[] = {
	{.member = "client_id", .param = "client"},
	{.member = "client_secret", .param = "secret-file", .how = CARRY_SECRET},
	{.member = "client_secret", .param = "secret-stdin"},
	{.member = "scopes", .param = "scopes"},
	{.member = "group_claim", .param = "group-claim"},
};
static const struct carried saml_sign_in[] = {
	{.member = "provider_begins", .param = "provider-begins"},
	{.member = "subject_attribute", .param = "subject-attribute"},
	{.member = "name_attribute", .param = "name-attribute"},
	{.member = "group_attribute", .param = "group-attribute"},
};

/* Sets the sign-in of a provider, and says what the provider has to be told. */
static RESULT set_sign_in(struct asking *a, const struct protocol *p, struct str id)
{
	bool is_saml = strcmp(p->name, "saml") == 0;
	const json_t *answer = NULL;
	json_t *body = json_object();
	struct result result = asking_carry_all(a, common_members, COUNT(common_members), body);
	if (result_is_ok(result))
		result = is_saml ? asking_carry_all(a, saml_sign_in, COUNT(saml_sign_in), body)
				 : asking_carry_all(a, oidc_sign_in, COUNT(oidc_sign_in), body);
	if (result_is_ok(result))
		result = asking_change(a, "PUT", sign_in_path(a, p, id), body, &answer);
	json_decref(body);
	TRY(result);
	buf_print(&a->text, "provider %" STR_FMT ": people sign in by it\n", STR_ARG(id));
	if (is_saml)
		buf_print(&a->text,
			  "Register at the provider, behind this region's address:\n"
			  "  entity ID and metadata  /api/v1/session/saml/%" STR_FMT "/metadata\n"
			  "  ACS, by POST            /api/v1/session/saml/%" STR_FMT "/acs\n",
			  STR_ARG(id), STR_ARG(id));
	else
		buf_print(&a->text,
			  "Register at the provider, behind this region's address:\n"
			  "  redirect URI  /api/v1/session/oidc/%" STR_FMT "/callback\n",
			  STR_ARG(id));
	return OK;
}

static RESULT add_provider(struct asking *a, const struct protocol *p, const struct carried *members,
			   size_t count)
{
	const json_t *answer = NULL;
	json_t *body = json_object();
	struct result result = asking_carry_all(a, members, count, body);
	if (result_is_ok(result))
		result = asking_change(a, "POST", p->path, body, &answer);
	json_decref(body);
	TRY(result);
	struct str id = asking_text(json_array_get(json_object_get(answer, "items"), 0), "id");
	struct result set = set_sign_in(a, p, id);
	if (!result_is_ok(set))
		buf_print(&a->text,
			  "provider %" STR_FMT " is made, but nobody signs in by it: dari sign-in set\n",
			  STR_ARG(id));
	return set;
}

static RESULT add_oidc(struct asking *a)
{
	return add_provider(a, &protocols[0], oidc_members, COUNT(oidc_members));
}

static RESULT add_saml(struct asking *a)
{
	return add_provider(a, &protocols[1], saml_members, COUNT(saml_members));
}

/* Refuses settings of the other protocol, which would have no effect. */
static RESULT check_protocol(struct asking *a, const struct protocol *p)
{
	bool is_saml = strcmp(p->name, "saml") == 0;
	const struct carried *others = is_saml ? oidc_sign_in : saml_sign_in;
	size_t count = is_saml ? COUNT(oidc_sign_in) : COUNT(saml_sign_in);
	for (size_t k = 0; k < count; k++)
		if (json_object_get(a->args, others[k].param))
			return ctx_fail_field(a->c, ERR_INVALID, str_from(others[k].param),
					      "--%s is not a setting of %s providers", others[k].param,
					      p->kind);
	return OK;
}

static RESULT set_provider(struct asking *a)
{
	const struct protocol *p = NULL;
	const json_t *row = NULL;
	TRY(find_provider(a, &p, &row));
	TRY(check_protocol(a, p));
	return set_sign_in(a, p, asking_text(row, "id"));
}

static RESULT remove_provider(struct asking *a)
{
	const struct protocol *p = NULL;
	const json_t *row = NULL, *answer = NULL;
	TRY(find_provider(a, &p, &row));
	TRY(asking_change(a, "DELETE", sign_in_path(a, p, asking_text(row, "id")), NULL, &answer));
	buf_print(&a->text, "provider %" STR_FMT ": nobody signs in by it\n",
		  STR_ARG(asking_text(row, "id")));
	return OK;
}

/* ---- passwords ---- */

static RESULT set_passwords(struct asking *a)
{
	const json_t *rows = NULL, *answer = NULL;
	json_t *row = NULL;
	size_t k = 0, count = 0;
	struct str wanted = asking_arg(a, "domain"), word = asking_arg(a, "which");
	json_t *body = json_pack("{s:o}", "passwords", asking_json(word));
	struct result result = asking_list(a, "/domains", "*", &rows);
	json_array_foreach (rows, k, row) {
		struct str name = asking_text(row, "name"), id = asking_text(row, "id");
		if (!result_is_ok(result) || (!str_equal(name, wanted) && !str_equal(id, wanted)))
			continue;
		count++;
		result =
			asking_change(a, "PATCH", str_print(a->c->arena, "/domains/%" STR_FMT, STR_ARG(id)).p,
				      body, &answer);
		if (result_is_ok(result))
			buf_print(&a->text, "domain %" STR_FMT ": passwords %" STR_FMT "\n", STR_ARG(name),
				  STR_ARG(word));
	}
	json_decref(body);
	TRY(result);
	return count ? OK
		     : ctx_fail_field(a->c, ERR_NOT_FOUND, STR("domain"), "there is no domain %" STR_FMT,
				      STR_ARG(wanted));
}

/* ---- commands ---- */

#define ACCOUNT                                                                                              \
	{                                                                                                    \
		"account", PARAM_OPTION, false, "Owning account of the provider (default: the caller's)."    \
	}
#define COMMON                                                                                               \
	{"title", PARAM_OPTION, true, "Title on the sign-in page."},                                         \
		{"domain", PARAM_OPTION, false, "Domain whose users sign in (default: Default)."},           \
		{"make-users", PARAM_FLAG, false,                                                            \
		 "Creates a user at a person's first sign-in; the user has no role yet."},                   \
	{                                                                                                    \
		"group", PARAM_OPTION, false,                                                                \
			"GROUP or GROUP=GROUP OF THE DOMAIN: members of the provider's group join the "      \
			"domain's group; may be repeated.",                                                  \
			.repeats = true                                                                      \
	}
#define OIDC                                                                                                 \
	{"secret-file", PARAM_OPTION, false, "File with the client secret; stored encrypted.",               \
	 .is_path = true},                                                                                   \
		{"secret-stdin", PARAM_STDIN, false, "Reads the client secret from standard input."},        \
		{"scopes", PARAM_OPTION, false, "Scopes in addition to openid, profile and email."},         \
	{                                                                                                    \
		"group-claim", PARAM_OPTION, false, "Claim with a person's groups."                          \
	}
#define SAML                                                                                                 \
	{"provider-begins", PARAM_FLAG, false, "Also accepts sign-ins that begin at the provider."},         \
		{"subject-attribute", PARAM_OPTION, false,                                                   \
		 "Attribute that identifies a person (default: the NameID)."},                               \
		{"name-attribute", PARAM_OPTION, false, "Attribute that names a new user."},                 \
	{                                                                                                    \
		"group-attribute", PARAM_OPTION, false, "Attribute with a person's groups."                  \
	}
#define PROVIDER                                                                                             \
	{                                                                                                    \
		"provider", PARAM_POSITIONAL, true, "Provider, by id, issuer, or name on the sign-in page."  \
	}

const struct command sign_in_commands[] = {
	{"sign-in list",
	 "Lists the identity providers by which people sign in.",
	 {{0}},
	 .ask = list_sign_ins},
	{"sign-in add-oidc",
	 "Enables sign-in by an OpenID Connect provider for the people of a domain.",
	 {{"url", PARAM_POSITIONAL, true, "The issuer, such as https://id.example.com/realms/company."},
	  {"client", PARAM_OPTION, true, "Client id of this region at the provider."},
	  ACCOUNT,
	  COMMON,
	  OIDC,
	  {"thumbprint", PARAM_OPTION, false,
	   "SHA-1 thumbprint in hex of a trusted certificate of the provider; may be repeated.",
	   .repeats = true}},
	 .ask = add_oidc},
	{"sign-in add-saml",
	 "Enables sign-in by a SAML provider for the people of a domain.",
	 {{"name", PARAM_POSITIONAL, true, "Name in the account: letters, digits, '.', '_' and '-'."},
	  {"metadata", PARAM_OPTION, true, "File with the provider's metadata, in XML.", .is_path = true},
	  ACCOUNT,
	  COMMON,
	  SAML},
	 .ask = add_saml},
	{"sign-in set",
	 "Replaces the settings of a provider by which people sign in.",
	 {PROVIDER,
	  {"client", PARAM_OPTION, false, "OpenID Connect: client id of this region at the provider."},
	  COMMON,
	  OIDC,
	  SAML},
	 .ask = set_provider},
	{"sign-in remove",
	 "Disables sign-in by a provider. Its users and their roles stay.",
	 {PROVIDER},
	 .ask = remove_provider},
	{"sign-in passwords",
	 "Sets which passwords of a domain's people are accepted. `dari console` on the server always lets "
	 "an administrator sign in.",
	 {{"which", PARAM_POSITIONAL, true,
	   "accepted, directory-only (passwords of the LDAP directory) or refused."},
	  {"domain", PARAM_OPTION, true, "Domain, by name or id."}},
	 .ask = set_passwords},
	{0},
};

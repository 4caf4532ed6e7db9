/* SPDX-License-Identifier: Apache-2.0
 * Discovery before sign-in: /metadata/endpoints and OpenID Connect Discovery 1.0. The shape depends on the
 * requested version. Sources: azure-cli's cloud.py, go-azure-sdk's metadata client.
 */
#include "api/azure/core/action.h"

enum shape { FLAT, LIST, ONE };

static enum shape shape_of(struct str version)
{
	if (str_is(version, "1.0") || str_compare(version, STR("2015-01-01")) <= 0)
		return FLAT;
	return str_compare(version, STR("2022-09-01")) >= 0 ? ONE : LIST;
}

static struct str url(struct az_call *e, const char *rest)
{
	return str_print(e->c->arena, "%" STR_FMT "%s", STR_ARG(e->base_url), rest);
}

/* Host name without scheme and port, for DNS suffixes, which do not exist here. */
static struct str host_name(struct az_call *e)
{
	struct str rest = e->base_url;
	size_t at = str_find_char(rest, ':', 0);
	rest = str_slice(rest, at + strlen("://"), rest.n);
	return str_slice(rest, 0, str_find_char(rest, ':', 0));
}

static void write_authentication(struct az_call *e, struct json_writer *w, bool is_flat)
{
	json_write_open(w, "authentication");
	json_write_text(w, "loginEndpoint", url(e, "/adfs"));
	json_write_open_list(w, "audiences");
	json_write_text(w, NULL, url(e, "/"));
	json_write_close_list(w);
	if (!is_flat) {
		json_write_z(w, "tenant", "adfs");
		json_write_z(w, "identityProvider", "ADFS");
	}
	json_write_close(w);
}

/* Endpoints that do not exist here also name the region: clients require them. */
static void write_cloud(struct az_call *e, struct json_writer *w)
{
	static const char *const here[] = {"resourceManager",
					   "graph",
					   "graphAudience",
					   "portal",
					   "gallery",
					   "batch",
					   "media",
					   "sqlManagement",
					   "microsoftGraphResourceId",
					   "activeDirectoryDataLake"};
	static const char *const suffixes[] = {"storage", "keyVaultDns", "sqlServerHostname",
					       "azureDataLakeStoreFileSystem", "acrLoginServer"};
	json_write_text(w, "name", e->config->region);
	write_authentication(e, w, false);
	for (size_t k = 0; k < sizeof here / sizeof here[0]; k++)
		json_write_text(w, here[k], url(e, "/"));
	json_write_text(w, "vmImageAliasDoc", url(e, "/aliases.json"));
	json_write_open(w, "suffixes");
	for (size_t k = 0; k < sizeof suffixes / sizeof suffixes[0]; k++)
		json_write_text(w, suffixes[k], host_name(e));
	json_write_close(w);
}

static RESULT show_endpoints(struct az_call *e, const void *args, struct json_writer *w)
{
	struct str version = az_query_value(e, "api-version");
	enum shape shape = shape_of(version);
	(void) args;
	if (!version.n) {
		e->error = &az_no_version;
		return ctx_fail_field(
			e->c, ERR_MISSING, STR("api-version"),
			"The api-version query parameter (?api-version=) is required for all requests.");
	}
	if (shape == LIST)
		json_write_open_list(w, NULL);
	json_write_open(w, NULL);
	if (shape == FLAT) {
		json_write_text(w, "galleryEndpoint", url(e, "/"));
		json_write_text(w, "graphEndpoint", url(e, "/"));
		json_write_text(w, "portalEndpoint", url(e, "/"));
		write_authentication(e, w, true);
	} else {
		write_cloud(e, w);
	}
	json_write_close(w);
	if (shape == LIST)
		json_write_close_list(w);
	return OK;
}

/* ---- OpenID Connect ---- */

/* Path prefix: "/adfs" for clients that treat us as ADFS, "/{tenant}" for others. */
static struct str prefix_of(struct az_call *e)
{
	struct str tenant = az_path_value(e, "tenant");
	return tenant.n ? str_print(e->c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(e->base_url),
				    STR_ARG(tenant))
			: url(e, "/adfs");
}

static void write_list(struct json_writer *w, const char *name, const char *words)
{
	struct str rest = str_from(words), word;
	json_write_open_list(w, name);
	while (str_split_next(&rest, '|', &word))
		json_write_text(w, NULL, word);
	json_write_close_list(w);
}

static RESULT show_configuration(struct az_call *e, const void *args, struct json_writer *w)
{
	struct str prefix = prefix_of(e);
	bool is_second = az_path_value(e, "tenant").n;
	const char *version = is_second ? "/v2.0" : "";
	(void) args;
#define URL(rest) str_print(e->c->arena, "%" STR_FMT "/oauth2%s/" rest, STR_ARG(prefix), version)
	json_write_text(w, "issuer", prefix);
	json_write_text(w, "authorization_endpoint", URL("authorize"));
	json_write_text(w, "token_endpoint", URL("token"));
	json_write_text(w, "device_authorization_endpoint", URL("devicecode"));
#undef URL
	json_write_text(w, "jwks_uri",
			str_print(e->c->arena, "%" STR_FMT "/discovery/keys", STR_ARG(prefix)));
	write_list(w, "token_endpoint_auth_methods_supported", "client_secret_post|private_key_jwt");
	write_list(w, "response_types_supported", "code");
	write_list(w, "subject_types_supported", "pairwise");
	write_list(w, "id_token_signing_alg_values_supported", "RS256");
	write_list(w, "response_modes_supported", "query");
	write_list(w, "code_challenge_methods_supported", "S256");
	write_list(w, "scopes_supported", "openid|profile|offline_access");
	write_list(w, "grant_types_supported",
		   "client_credentials|password|authorization_code|refresh_token|"
		   "urn:ietf:params:oauth:grant-type:device_code");
	return OK;
}

/* Public key of the tokens; it may have to be generated first. */
struct keys {
	struct str id, n, e;
};

static RESULT read_key(struct work_item *item)
{
	struct az_call *e = item->arg;
	struct keys *a = e->args;
	return bearers_read_key(e->config->bearers, e->c, &a->id, &a->n, &a->e);
}

static RESULT show_keys(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct keys *a = args;
	(void) e;
	json_write_open_list(w, "keys");
	json_write_open(w, NULL);
	json_write_z(w, "kty", "RSA");
	json_write_z(w, "use", "sig");
	json_write_z(w, "alg", "RS256");
	json_write_text(w, "kid", a->id);
	json_write_text(w, "x5t", a->id);
	json_write_text(w, "n", a->n);
	json_write_text(w, "e", a->e);
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

#define OPEN (API_OPEN | API_FOR_ALL | AZ_SIGNIN)
#define CONFIGURATION(where)                                                                                 \
	{                                                                                                    \
		HTTP_GET, where "/.well-known/openid-configuration",                                         \
			.name = "openid-configuration", .permit = "identity:authenticate", .flags = OPEN,    \
			.answer = show_configuration,                                                        \
			.doc = "Returns the OpenID Connect discovery document."                              \
	}
#define KEYS(where)                                                                                          \
	{                                                                                                    \
		HTTP_GET, where "/discovery/keys",                                                           \
			.name = "keys", .permit = "identity:authenticate", .flags = OPEN,                    \
			.args = {0, 0, sizeof(struct keys)}, .work = read_key, .answer = show_keys,          \
			.doc = "Returns the public key that tokens of the region are signed with."           \
	}
static const struct az_action actions[] = {
	{HTTP_GET, "/metadata/endpoints", .name = "endpoints", .permit = "identity:authenticate",
	 .flags = API_OPEN | API_FOR_ALL | AZ_SIGNIN | AZ_IN_PLACE, .answer = show_endpoints,
	 .doc = "Returns the endpoints of this cloud."},
	CONFIGURATION("/adfs"),
	CONFIGURATION("/{tenant}"),
	CONFIGURATION("/{tenant}/v2.0"),
	KEYS("/adfs"),
	KEYS("/{tenant}"),
	KEYS("/{tenant}/v2.0"),
};
const struct api_actions az_metadata_actions = API_ACTIONS(actions);

/* SPDX-License-Identifier: Apache-2.0
 * dari account rc: configuration for stock clients to work in an account as its owner. */
#include "auth/key/key.h"
#include "base/random.h"
#include "daemon/command.h"
#include "daemon/environment/client_env.h"
#include "engine/people/account/account.h"
#include "engine/people/credential/application_credential.h"
#include "engine/resolve.h"
#include "model/access_key.h"
#include "model/account.h"
#include "store/user.h"

enum { SECRET_SIZE = 32 };

struct rc {
	struct str profile; /* a name that needs no quoting in YAML and INI */
	uuid domain;        /* the account's; az calls it tenant */
	uuid account;       /* az calls it subscription */
	struct str key_id, key_secret, credential_id, credential_secret;
	struct application_credential_wish credential;
	struct access_key_wish key;
};

/* Creates both or none. */
static RESULT create_both(struct op *op, void *arg)
{
	struct rc *rc = arg;
	TRY(engine_create_application_credential(op, &rc->credential));
	return engine_create_access_key(op, &rc->key);
}

static RESULT find_owner(struct command_call *call, struct rc *rc)
{
	const struct ref ref = {.kind = KIND_ACCOUNT, .text = command_arg(call, "name")};
	const struct row *row = NULL;
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	TRY(engine_look_up(&call->ctx, view.tables, KIND_ACCOUNT, &ref, &row));
	const struct user *user = user_first_by_owner(view.tables, row->id);
	while (user && !user->is_owner)
		user = user_next_by_owner(view.tables, user);
	if (!user)
		return ctx_fail(&call->ctx, ERR_NOT_FOUND, "the account %" STR_FMT " has no owner",
				STR_ARG(ref.text));
	rc->profile = str_copy(call->ctx.arena, account_of(row)->name);
	for (size_t k = 0; k < rc->profile.n; k++) {
		char letter = rc->profile.p[k];
		if (!str_is_alphanumeric(letter) && letter != '-' && letter != '_')
			rc->profile = str_copy(call->ctx.arena, account_of(row)->number);
	}
	rc->domain = account_of(row)->domain;
	rc->account = row->id;
	rc->key.user = rc->credential.user = ref_by_id(KIND_USER, user->row.id);
	rc->key.account = rc->credential.account = ref_by_id(KIND_ACCOUNT, row->id);
	return OK;
}

static RESULT make_credentials(struct command_call *call, struct rc *rc)
{
	struct ctx *c = &call->ctx;
	uint8_t drawn[SECRET_SIZE];
	struct access_key key = {.row.id = id_new(KIND_ACCESS_KEY)};
	random_bytes(drawn, sizeof drawn);
	rc->credential_secret = str_encode_hex(c->arena, drawn, sizeof drawn);
	crypto_wipe(drawn, sizeof drawn);
	TRY(key_draw(c, call->daemon->master_key, &key, &rc->key_secret));
	TRY(password_hash(call->daemon->passwords, c, rc->credential_secret, &rc->credential.secret_hash));
	rc->key.key = &key;
	rc->key_id = key.key_id;
	rc->credential.name = str_print(c->arena, "rc-%" STR_FMT, STR_ARG(str_slice(key.key_id, 4, 12)));
	rc->credential.unrestricted = true; /* like the owner's key */
	TRY(command_commit(call, "dari:account rc", create_both, rc));
	rc->credential_id = str_encode_hex(c->arena, rc->credential.credential.b, sizeof(uuid));
	return OK;
}

/* A line for a client's file with the server's certificate, if it has its own. */
static struct str write_ca(struct command_call *call, const char *name)
{
	struct str certificate = call->daemon->settings.tls_certificate;
	return certificate.n ? str_print(call->ctx.arena, "%s%" STR_FMT "\n", name, STR_ARG(certificate))
			     : STR_NONE;
}

static struct str write_clouds(struct command_call *call, const struct rc *rc)
{
	const struct settings *s = &call->daemon->settings;
	struct str ca = write_ca(call, "    cacert: ");
	return str_print(call->ctx.arena,
			 "clouds:\n"
			 "  %" STR_FMT ":\n"
			 "    auth_type: v3applicationcredential\n"
			 "    auth:\n"
			 "      auth_url: %" STR_FMT "/identity/v3\n"
			 "      application_credential_id: %" STR_FMT "\n"
			 "      application_credential_secret: %" STR_FMT "\n"
			 "    region_name: %" STR_FMT "\n"
			 "    interface: public\n"
			 "    identity_api_version: 3\n%" STR_FMT,
			 STR_ARG(rc->profile), STR_ARG(settings_endpoint(call->ctx.arena, s)),
			 STR_ARG(rc->credential_id), STR_ARG(rc->credential_secret), STR_ARG(s->region),
			 STR_ARG(ca));
}

static struct str write_profile(struct command_call *call, const struct rc *rc)
{
	const struct settings *s = &call->daemon->settings;
	struct str ca = write_ca(call, "ca_bundle = ");
	return str_print(call->ctx.arena,
			 "[%" STR_FMT "]\n"
			 "aws_access_key_id = %" STR_FMT "\n"
			 "aws_secret_access_key = %" STR_FMT "\n"
			 "region = %" STR_FMT "\n"
			 "endpoint_url = %" STR_FMT "\n%" STR_FMT,
			 STR_ARG(rc->profile), STR_ARG(rc->key_id), STR_ARG(rc->key_secret),
			 STR_ARG(s->region), STR_ARG(settings_endpoint(call->ctx.arena, s)), STR_ARG(ca));
}

/* In the format of the Python library cs, also used by Ansible's modules. */
static struct str write_cloudstack(struct command_call *call, const struct rc *rc)
{
	const struct settings *s = &call->daemon->settings;
	struct str ca = write_ca(call, "verify = ");
	return str_print(call->ctx.arena,
			 "[%" STR_FMT "]\n"
			 "endpoint = %" STR_FMT "/client/api\n"
			 "key = %" STR_FMT "\n"
			 "secret = %" STR_FMT "\n%" STR_FMT,
			 STR_ARG(rc->profile), STR_ARG(settings_endpoint(call->ctx.arena, s)),
			 STR_ARG(rc->key_id), STR_ARG(rc->key_secret), STR_ARG(ca));
}

/* az requires TLS, and is configured by commands instead of a file; the key's user is the service
 * principal. */
static struct str write_az(struct command_call *call, const struct rc *rc)
{
	const struct settings *s = &call->daemon->settings;
	struct str ca = write_ca(call, "export REQUESTS_CA_BUNDLE=");
	return str_print(
		call->ctx.arena,
		"%" STR_FMT "az cloud register -n %" STR_FMT " --endpoint-resource-manager %" STR_FMT "\n"
		"az cloud set -n %" STR_FMT "\n"
		"az login --service-principal --tenant %" STR_FMT " -u %" STR_FMT " -p %" STR_FMT "\n",
		STR_ARG(ca), STR_ARG(s->region), STR_ARG(settings_endpoint(call->ctx.arena, s)),
		STR_ARG(s->region), STR_ARG(uuid_to_str(call->ctx.arena, rc->domain)), STR_ARG(rc->key_id),
		STR_ARG(rc->key_secret));
}

/* The file for `cmk -c`, which reads its own settings from the lines before the first section. */
static struct str write_cmk(struct command_call *call, const struct rc *rc)
{
	const struct settings *s = &call->daemon->settings;
	return str_print(call->ctx.arena,
			 "profile = %" STR_FMT "\n"
			 "asyncblock = true\n"
			 "timeout = 1800\n"
			 "output = json\n"
			 "verifycert = %s\n\n"
			 "[%" STR_FMT "]\n"
			 "url = %" STR_FMT "/client/api\n"
			 "apikey = %" STR_FMT "\n"
			 "secretkey = %" STR_FMT "\n",
			 STR_ARG(rc->profile), s->tls_certificate.n ? "false" : "true", STR_ARG(rc->profile),
			 STR_ARG(settings_endpoint(call->ctx.arena, s)), STR_ARG(rc->key_id),
			 STR_ARG(rc->key_secret));
}

/* Writes each client's environment. Unsets variables left by other tools that would scope the application
 * credential a second time, which Keystone refuses. */
static void write_environment(struct command_call *call, const struct rc *rc, json_t *ret_members)
{
	static const char *const clients[] = {"aws", "openstack-credential", "cloudstack", "azure"};
	const struct settings *s = &call->daemon->settings;
	struct arena *a = call->ctx.arena;
	const struct client_env env = {.endpoint = settings_endpoint(a, s),
				       .region = s->region,
				       .ca = s->tls_certificate,
				       .key_id = rc->key_id,
				       .key_secret = rc->key_secret,
				       .credential_id = rc->credential_id,
				       .credential_secret = rc->credential_secret,
				       .tenant = uuid_to_str(a, rc->domain),
				       .project_uuid = uuid_to_str(a, rc->account)};
	buf_print(&call->text, "unset OS_USERNAME OS_PASSWORD OS_TOKEN OS_USER_DOMAIN_NAME OS_USER_DOMAIN_ID "
			       "OS_DOMAIN_NAME OS_DOMAIN_ID\n"
			       "unset OS_PROJECT_NAME OS_PROJECT_ID OS_PROJECT_DOMAIN_NAME "
			       "OS_PROJECT_DOMAIN_ID OS_TENANT_NAME OS_TENANT_ID\n");
	for (size_t k = 0; k < sizeof clients / sizeof clients[0]; k++) {
		client_env_print(&call->text, clients[k], &env);
		client_env_add(ret_members, clients[k], &env);
	}
}

static void add_file(struct command_call *call, const char *directory, const char *variable, const char *name,
		     struct str text)
{
	const char *path = str_print(call->ctx.arena, "%s/%s", directory, name).p;
	(void) json_object_set_new(call->files, path, json_stringn(text.p, text.n));
	buf_print(&call->text, "export %s=%s\n", variable, path);
}

static RESULT account_rc(struct command_call *call)
{
	struct rc rc = {0};
	struct str directory = command_arg(call, "directory");
	if (directory.n && directory.p[0] != '/')
		return ctx_fail_field(&call->ctx, ERR_INVALID, STR("directory"),
				      "--directory wants a whole path, from /");
	TRY(find_owner(call, &rc));
	TRY(make_credentials(call, &rc));
	struct str clouds = write_clouds(call, &rc), profile = write_profile(call, &rc);
	struct str cloudstack = write_cloudstack(call, &rc), az = write_az(call, &rc),
		   cmk = write_cmk(call, &rc);
	if (directory.n) {
		const char *path = str_to_z(call->ctx.arena, directory);
		call->files = json_object();
		add_file(call, path, "OS_CLIENT_CONFIG_FILE", "clouds.yaml", clouds);
		add_file(call, path, "AWS_SHARED_CREDENTIALS_FILE", "credentials", profile);
		add_file(call, path, "CLOUDSTACK_CONFIG", "cloudstack.ini", cloudstack);
		struct str config = str_print(call->ctx.arena, "%s/cmk.ini", path);
		(void) json_object_set_new(call->files, config.p, json_stringn(cmk.p, cmk.n));
		struct str script = str_print(call->ctx.arena, "%s/az-login.sh", path);
		(void) json_object_set_new(call->files, script.p, json_stringn(az.p, az.n));
	} else {
		buf_print(&call->text,
			  "# clouds.yaml\n%" STR_FMT "\n# ~/.aws/credentials\n%" STR_FMT
			  "\n# ~/.cloudstack.ini\n%" STR_FMT "\n# ~/.cmk/config\n%" STR_FMT
			  "\n# once, for az\n%" STR_FMT "\n# without files\n",
			  STR_ARG(clouds), STR_ARG(profile), STR_ARG(cloudstack), STR_ARG(cmk), STR_ARG(az));
	}
	buf_print(&call->text,
		  "export OS_CLOUD=%" STR_FMT " AWS_PROFILE=%" STR_FMT " CLOUDSTACK_REGION=%" STR_FMT "\n",
		  STR_ARG(rc.profile), STR_ARG(rc.profile), STR_ARG(rc.profile));
	json_t *members = json_object();
	write_environment(call, &rc, members);
	call->value = json_pack("{s:s%, s:s%, s:s%, s:s%, s:s%, s:s%, s:o}", "cloud", rc.profile.p,
				rc.profile.n, "clouds_yaml", clouds.p, clouds.n, "aws_credentials", profile.p,
				profile.n, "cloudstack_ini", cloudstack.p, cloudstack.n, "az_login", az.p,
				az.n, "cmk_config", cmk.p, cmk.n, "environment", members);
	return OK;
}

const struct command rc_commands[] = {
	{"account rc",
	 "Creates credentials of an account's owner, and prints a clouds.yaml, an AWS profile, a "
	 "cloudstack.ini and az's login.",
	 {{"name", PARAM_POSITIONAL, true, "The account: NAME of the default domain, or DOMAIN/NAME."},
	  {"directory", PARAM_OPTION, false, "Directory to write the files to, instead of printing them.",
	   .is_path = true}},
	 .run = account_rc},
	{0},
};

/* SPDX-License-Identifier: Apache-2.0
 * Fills in stock clients' environments. Used by: dari account rc, dari env, dari dev. */
#include "daemon/environment/client_env.h"

#include <stdio.h>
#include <string.h>

#include "environment.h"

#define FIELD(name)                                                                                          \
	{                                                                                                    \
#name, offsetof(struct client_env, name)                                                     \
	}
static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	FIELD(endpoint),
	FIELD(region),
	FIELD(ca),
	FIELD(key_id),
	FIELD(key_secret),
	FIELD(user),
	FIELD(user_domain),
	FIELD(password),
	FIELD(project),
	FIELD(project_id),
	FIELD(project_uuid),
	FIELD(project_domain),
	FIELD(credential_id),
	FIELD(credential_secret),
	FIELD(tenant),
};

static struct str find_field(const struct client_env *env, const char *name, size_t length)
{
	for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++)
		if (strlen(fields[k].name) == length && memcmp(fields[k].name, name, length) == 0)
			return *(const struct str *) (const void *) ((const char *) env + fields[k].offset);
	return STR_NONE;
}

/* Splits "AWS_REGION={region}" into name and value; false: the field has no value. */
static bool fill(const struct client_env *env, const char *line, struct str *ret_name, struct buf *value)
{
	const char *equals = strchr(line, '='), *open = strchr(line, '{');
	const char *close = open ? strchr(open, '}') : NULL;
	*ret_name = (struct str){line, (size_t) (equals - line)};
	if (!close) {
		buf_print(value, "%s", equals + 1);
		return true;
	}
	struct str text = find_field(env, open + 1, (size_t) (close - open - 1));
	buf_print(value, "%.*s%" STR_FMT "%s", (int) (open - equals - 1), equals + 1, STR_ARG(text),
		  close + 1);
	return text.n > 0;
}

static bool is_plain(struct str value)
{
	for (size_t k = 0; k < value.n; k++)
		if (!str_is_alphanumeric(value.p[k]) && !memchr("-_./:+=@,", value.p[k], 9))
			return false;
	return value.n > 0;
}

/* Adds single quotes unless the value is safe in a shell. */
static void print_quoted(struct buf *out, struct str value)
{
	if (is_plain(value)) {
		buf_print(out, "%" STR_FMT "\n", STR_ARG(value));
		return;
	}
	buf_print(out, "'");
	for (size_t k = 0; k < value.n; k++)
		if (value.p[k] == '\'')
			buf_print(out, "'\\''");
		else
			buf_print(out, "%c", value.p[k]);
	buf_print(out, "'\n");
}

static void visit(const char *client, const struct client_env *env,
		  void (*take)(void *to, struct str name, struct str value), void *to)
{
	const char *open = strchr(strstr(page_environment_js.p, "ENVIRONMENT = "), '{');
	json_t *all = json_loadb(open, page_environment_js.n - (size_t) (open - page_environment_js.p),
				 JSON_DISABLE_EOF_CHECK, NULL);
	size_t k;
	json_t *line;
	json_array_foreach (json_object_get(all, client), k, line) {
		struct buf value;
		struct str name;
		buf_init(&value, 4096);
		if (fill(env, json_string_value(line), &name, &value))
			take(to, name, buf_str(&value));
		buf_done(&value);
	}
	json_decref(all);
}

static void take_export(void *to, struct str name, struct str value)
{
	buf_print(to, "export %" STR_FMT "=", STR_ARG(name));
	print_quoted(to, value);
}

static void take_member(void *to, struct str name, struct str value)
{
	char key[64];
	(void) snprintf(key, sizeof key, "%" STR_FMT, STR_ARG(name));
	(void) json_object_set_new(to, key, json_stringn(value.p, value.n));
}

void client_env_print(struct buf *out, const char *client, const struct client_env *env)
{
	visit(client, env, take_export, out);
}

void client_env_add(json_t *object, const char *client, const struct client_env *env)
{
	visit(client, env, take_member, object);
}

/* SPDX-License-Identifier: Apache-2.0
 * Extension handlers, as the archives that agents download, and settings in the form that they read. There
 * is one handler, run_command.sh; its archive is written uncompressed for each request. Sources: PKWARE's
 * APPNOTE 6.3, 4.3; the handler manifest that waagent reads.
 */
#include "api/metadata/azure.h"
#include "engine/instance/azure_guest.h"
#include "run_command.h"

/* ---- archives ---- */

struct member {
	const char *name;
	struct str data;
	uint32_t crc, at;
};

static uint32_t compute_crc(struct str data)
{
	uint32_t crc = ~UINT32_C(0);
	for (size_t k = 0; k < data.n; k++) {
		crc ^= (unsigned char) data.p[k];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
	}
	return ~crc;
}

static void add_u16(struct buf *b, unsigned value)
{
	buf_add_char(b, (char) (value & 0xFF));
	buf_add_char(b, (char) (value >> 8 & 0xFF));
}

static void add_u32(struct buf *b, uint32_t value)
{
	add_u16(b, value & 0xFFFF);
	add_u16(b, value >> 16);
}

enum { ZIP_VERSION = 20, ZIP_DATE = 0x5821, UNIX_MADE = 3 << 8, UNIX_FILE_0755 = 0100755 };

/* Writes the fields that both headers of a member share: stored, dated 2024-01-01. */
static void add_facts(struct buf *b, const struct member *m)
{
	add_u16(b, ZIP_VERSION);
	add_u16(b, 0);
	add_u16(b, 0);
	add_u16(b, 0);
	add_u16(b, ZIP_DATE);
	add_u32(b, m->crc);
	add_u32(b, (uint32_t) m->data.n);
	add_u32(b, (uint32_t) m->data.n);
	add_u16(b, (unsigned) strlen(m->name));
	add_u16(b, 0);
}

static void write_archive(struct member *members, size_t count, struct buf *out)
{
	uint32_t from;
	for (size_t k = 0; k < count; k++) {
		members[k].at = (uint32_t) out->size;
		members[k].crc = compute_crc(members[k].data);
		add_u32(out, 0x04034B50);
		add_facts(out, &members[k]);
		buf_add_str(out, str_from(members[k].name));
		buf_add_str(out, members[k].data);
	}
	from = (uint32_t) out->size;
	for (size_t k = 0; k < count; k++) {
		add_u32(out, 0x02014B50);
		add_u16(out, UNIX_MADE | ZIP_VERSION);
		add_facts(out, &members[k]);
		add_u16(out, 0);
		add_u16(out, 0);
		add_u16(out, 0);
		add_u32(out, (uint32_t) UNIX_FILE_0755 << 16);
		add_u32(out, members[k].at);
		buf_add_str(out, str_from(members[k].name));
	}
	add_u32(out, 0x06054B50);
	add_u32(out, 0);
	add_u16(out, (unsigned) count);
	add_u16(out, (unsigned) count);
	add_u32(out, (uint32_t) (out->size - 12) - from);
	add_u32(out, from);
	add_u16(out, 0);
}

static const char handler_manifest[] =
	"[{\"name\":\"RunCommand\",\"version\":1.0,\"handlerManifest\":{"
	"\"installCommand\":\"run_command.sh install\",\"enableCommand\":\"run_command.sh enable\","
	"\"disableCommand\":\"run_command.sh disable\",\"updateCommand\":\"run_command.sh update\","
	"\"uninstallCommand\":\"run_command.sh uninstall\",\"rebootAfterInstall\":false,"
	"\"reportHeartbeat\":false,\"updateMode\":\"UpdateWithInstall\"}}]\n";

static void write_manifest(const struct extension_program *p, struct str type, const char *base,
			   struct buf *out)
{
	buf_print(out,
		  "<?xml version=\"1.0\" encoding=\"utf-8\"?><PluginVersionManifest><Plugins><Plugin>"
		  "<Version>%s</Version><Uris><Uri>%s/dari/packages/%s.%" STR_FMT
		  ".zip</Uri></Uris></Plugin></Plugins>"
		  "</PluginVersionManifest>",
		  p->version, base, p->publisher, STR_ARG(type));
}

RESULT azure_write_package(struct str name, const char *base, struct buf *out, const char **ret_type)
{
	struct str rest = name, publisher, type;
	struct member members[] = {{"HandlerManifest.json", str_from(handler_manifest), 0, 0},
				   {"run_command.sh", page_run_command_sh, 0, 0}};
	if (!str_split_next(&rest, '.', &publisher) || !str_split_next(&rest, '.', &type))
		return FAIL(NOT_FOUND);
	const struct extension_program *p = engine_find_program(publisher, type);
	bool is_archive = str_is(rest, "zip");
	if (!p || (!is_archive && !str_is(rest, "xml")))
		return FAIL(NOT_FOUND);
	if (is_archive)
		write_archive(members, sizeof members / sizeof members[0], out);
	else
		write_manifest(p, type, base, out);
	*ret_type = is_archive ? "application/zip" : "text/xml; charset=utf-8";
	return OK;
}

/* ---- settings ---- */

/* Quotes a text as one shell word. */
static void add_quoted(struct buf *b, struct str text)
{
	buf_add_char(b, '\'');
	for (size_t k = 0; k < text.n; k++)
		if (text.p[k] == '\'')
			buf_add_str(b, STR("'\\''"));
		else
			buf_add_char(b, text.p[k]);
	buf_add_char(b, '\'');
}

static bool is_variable(struct str name)
{
	for (size_t k = 0; k < name.n; k++)
		if ((!str_is_alphanumeric(name.p[k]) && name.p[k] != '_') ||
		    (k == 0 && name.p[k] >= '0' && name.p[k] <= '9'))
			return false;
	return name.n > 0;
}

static struct str string_of(const json_t *value)
{
	return (struct str){json_string_value(value), json_string_length(value)};
}

/* Named parameters become variables of the script, unnamed ones its arguments in order. */
static void write_args(const json_t *parameters, struct buf *b)
{
	size_t k;
	const json_t *item;
	json_array_foreach ((json_t *) parameters, k, item) {
		struct str name = string_of(json_object_get(item, "name"));
		struct str value = string_of(json_object_get(item, "value"));
		if (!is_variable(name))
			continue;
		buf_print(b, "export %" STR_FMT "=", STR_ARG(name));
		add_quoted(b, value);
		buf_add_char(b, '\n');
	}
	buf_add_str(b, STR("set --"));
	json_array_foreach ((json_t *) parameters, k, item) {
		buf_add_char(b, ' ');
		add_quoted(b, string_of(json_object_get(item, "value")));
	}
	buf_add_char(b, '\n');
}

/* Writes "script" (lines or a text) or "commandToExecute". False: neither is there. */
static bool write_script(const json_t *settings, struct buf *b)
{
	const json_t *script = json_object_get(settings, "script"), *line;
	size_t k;
	if (!script)
		script = json_object_get(settings, "commandToExecute");
	if (json_is_string(script)) {
		buf_add_str(b, string_of(script));
		buf_add_char(b, '\n');
	}
	json_array_foreach ((json_t *) script, k, line) {
		buf_add_str(b, string_of(line));
		buf_add_char(b, '\n');
	}
	return b->size > 0;
}

/* In base64: run_command.sh finds a member by its name, and would have to undo JSON's escapes in any other text. */
RESULT azure_write_settings(struct arena *a, struct str settings, struct str *ret_json)
{
	struct buf script, args;
	json_t *document = json_loadb(settings.p ? settings.p : "", settings.n, JSON_REJECT_DUPLICATES, NULL);
	buf_init(&script, 2 * EXTENSION_SETTINGS_MAX);
	buf_init(&args, 8 * EXTENSION_SETTINGS_MAX);
	bool has_one = write_script(document, &script);
	write_args(json_object_get(document, "parameters"), &args);
	bool is_whole = result_is_ok(buf_finish(&script)) && result_is_ok(buf_finish(&args));
	if (has_one && is_whole)
		*ret_json = str_print(a, "{\"args64\":\"%" STR_FMT "\",\"script64\":\"%" STR_FMT "\"}",
				      STR_ARG(str_encode_base64(a, buf_str(&args))),
				      STR_ARG(str_encode_base64(a, buf_str(&script))));
	buf_done(&script);
	buf_done(&args);
	json_decref(document);
	if (!has_one)
		return FAIL(INVALID);
	return is_whole && !arena_is_full(a) ? OK : FAIL(NO_MEMORY);
}

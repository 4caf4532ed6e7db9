/* SPDX-License-Identifier: Apache-2.0
 * Nova's formats of names and metadata keys, and the actions that it refuses in VERIFY_RESIZE. Source:
 * Nova's JSON schemas (parameter types), and the states that its compute API checks. */
#include "api/openstack/compute/servers.h"

enum { KEY_MAX = 255 };

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

RESULT os_check_name(struct os_call *e, struct str name, const char *field, enum os_name_format format)
{
	bool may_have_ends = format == OS_NAME_WITH_BLANK_ENDS || e->is_legacy;
	bool is_fine = str_trim(name).n > 0;
	for (size_t k = 0; k < name.n && is_fine; k++)
		is_fine = (unsigned char) name.p[k] >= ' ' && name.p[k] != 0x7f;
	if (is_fine && !may_have_ends)
		is_fine = !is_blank(name.p[0]) && !is_blank(name.p[name.n - 1]);
	return is_fine ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, str_from(field),
					"Invalid input for field/attribute %s. Value: %" STR_FMT
					". An invalid 'name' value was provided. The name must be: printable "
					"characters%s.",
					field, STR_ARG(str_slice(name, 0, 64)),
					may_have_ends ? " with at least one non space character"
						      : ". Can not start or end with whitespace");
}

static bool is_key(struct str key)
{
	bool is_fine = key.n >= 1 && key.n <= KEY_MAX;
	for (size_t k = 0; k < key.n && is_fine; k++) {
		char c = key.p[k], lower = (char) (c | 0x20);
		is_fine = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') ||
			  str_find_char(STR("-_:. "), c, 0) < strlen("-_:. ");
	}
	return is_fine;
}

RESULT os_check_metadata_keys(struct os_call *e, struct tags tags, const char *field)
{
	for (size_t k = 0; k < tags.count; k++)
		if (!is_key(tags.at[k].key))
			return ctx_fail_field(
				e->c, ERR_INVALID, str_from(field),
				"Invalid input for field/attribute %s. Additional properties are not allowed "
				"('%" STR_FMT "' was unexpected): keys match '^[a-zA-Z0-9-_:. ]{1,255}$'",
				field, STR_ARG(str_slice(tags.at[k].key, 0, 64)));
	return OK;
}

/* Returns Nova's name of an action that it refuses in the vm_state "resized"; NULL: the action is allowed. */
static const char *resized_name(const char *verb)
{
	static const char *const rows[][2] = {
		{"os-start", "start"},
		{"os-stop", "stop"},
		{"reboot", "reboot"},
		{"pause", "pause"},
		{"suspend", "suspend"},
		{"rebuild", "rebuild"},
		{"resize", "resize"},
		{"migrate", "migrate"},
		{"os-migrateLive", "os-migrateLive"},
		{"rescue", "rescue"},
		{"shelve", "shelve"},
		{"createImage", "createImage"},
		{"createBackup", "createBackup"},
		{"changePassword", "changePassword"},
	};
	for (size_t k = 0; verb && k < sizeof rows / sizeof rows[0]; k++)
		if (strcmp(rows[k][0], verb) == 0)
			return rows[k][1];
	return NULL;
}

RESULT os_check_unresized(struct os_call *e, const struct ref *ref, const struct instance *instance)
{
	const char *name = resized_name(os_action_of(e)->verb);
	if (!name || !os_waits_for_resize(instance))
		return OK;
	return ctx_fail_kind(e->c, ERR_STATE, KIND_INSTANCE,
			     "Cannot '%s' instance %" STR_FMT " while it is in vm_state resized", name,
			     STR_ARG(ref->text));
}

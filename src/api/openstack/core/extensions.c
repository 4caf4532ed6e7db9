/* SPDX-License-Identifier: Apache-2.0
 * Writes the list of a service's extensions, and one of them. */
#include "api/openstack/core/extensions.h"

const struct param os_extension_params[1] = {
	OS_PATH(struct os_extension_target, "alias", alias, .doc = "Alias of the extension."),
};

static void write_extension(const struct os_extensions *extensions, const struct os_extension *x,
			    struct json_writer *w)
{
	json_write_z(w, "alias", x->alias);
	json_write_z(w, "name", x->name);
	json_write_z(w, "description", x->name);
	if (extensions->namespace)
		json_write_z(w, "namespace", extensions->namespace);
	json_write_z(w, "updated", extensions->updated);
	json_write_open_list(w, "links");
	json_write_close_list(w);
}

RESULT os_list_extensions(const struct os_extensions *extensions, struct json_writer *w)
{
	json_write_open_list(w, "extensions");
	for (size_t k = 0; k < extensions->count; k++) {
		json_write_open(w, NULL);
		write_extension(extensions, &extensions->at[k], w);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

RESULT os_show_extension(struct os_call *e, const struct os_extensions *extensions, struct str alias,
			 struct json_writer *w)
{
	for (size_t k = 0; k < extensions->count; k++)
		if (str_is(alias, extensions->at[k].alias)) {
			write_extension(extensions, &extensions->at[k], w);
			return OK;
		}
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_NONE,
			     "Extension with alias %" STR_FMT " does not exist",
			     STR_ARG(str_slice(alias, 0, 64)));
}

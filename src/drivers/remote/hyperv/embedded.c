/* SPDX-License-Identifier: Apache-2.0
 * Instances as texts: see embedded.h. */
#include "drivers/remote/hyperv/embedded.h"

#include "base/xml.h"

enum { EMBEDDED_MAX = 64 * 1024 };

void embedded_begin(struct embedded *e, const char *class_name)
{
	buf_init(&e->text, EMBEDDED_MAX);
	buf_print(&e->text, "<INSTANCE CLASSNAME=\"%s\">", class_name);
}

void embedded_put(struct embedded *e, const char *name, const char *type, struct str text)
{
	buf_print(&e->text, "<PROPERTY NAME=\"%s\" TYPE=\"%s\"><VALUE>", name, type);
	xml_escape(&e->text, text);
	buf_add_str(&e->text, STR("</VALUE></PROPERTY>"));
}

void embedded_put_int(struct embedded *e, const char *name, const char *type, int64_t value)
{
	buf_print(&e->text, "<PROPERTY NAME=\"%s\" TYPE=\"%s\"><VALUE>%lld</VALUE></PROPERTY>", name, type,
		  (long long) value);
}

void embedded_put_array(struct embedded *e, const char *name, struct str text)
{
	buf_print(&e->text, "<PROPERTY.ARRAY NAME=\"%s\" TYPE=\"string\"><VALUE.ARRAY><VALUE>", name);
	xml_escape(&e->text, text);
	buf_add_str(&e->text, STR("</VALUE></VALUE.ARRAY></PROPERTY.ARRAY>"));
}

RESULT embedded_end(struct embedded *e, struct ctx *c, struct str *ret_text)
{
	buf_add_str(&e->text, STR("</INSTANCE>"));
	*ret_text = e->text.failed ? STR_NONE : str_copy(c->arena, buf_str(&e->text));
	bool is_large = e->text.too_large;
	buf_done(&e->text);
	if (is_large)
		return ctx_fail(c, ERR_INVALID, "The request is too large.");
	return ret_text->p ? OK : ctx_no_memory(c);
}

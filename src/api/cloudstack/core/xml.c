/* SPDX-License-Identifier: Apache-2.0
 * Writes an answer as XML: the same members as in JSON; list elements repeat the list's name.
 */
#include <jansson.h>

#include "api/cloudstack/core/action.h"
#include "base/xml.h"

static void write_value(struct xml *x, const char *name, const json_t *value);

static void write_members(struct xml *x, const json_t *object)
{
	const char *name;
	json_t *member;
	json_object_foreach ((json_t *) object, name, member)
		write_value(x, name, member);
}

static void write_value(struct xml *x, const char *name, const json_t *value)
{
	size_t k;
	json_t *element;
	if (json_is_array(value)) {
		json_array_foreach (value, k, element)
			write_value(x, name, element);
	} else if (json_is_object(value)) {
		xml_open(x, name);
		write_members(x, value);
		xml_close(x, name);
	} else if (json_is_string(value)) {
		xml_text(x, name, (struct str){json_string_value(value), json_string_length(value)});
	} else if (json_is_boolean(value)) {
		xml_bool(x, name, json_is_true(value));
	} else if (json_is_integer(value)) {
		xml_int(x, name, json_integer_value(value));
	}
}

static RESULT write_document(const json_t *answer, struct buf *out)
{
	const char *name;
	json_t *inner;
	struct xml x;
	xml_begin(&x, out);
	json_object_foreach ((json_t *) answer, name, inner) {
		buf_print(out, "<%s cloud-stack-version=\"" CS_VERSION "\">", name);
		write_members(&x, inner);
		buf_print(out, "</%s>", name);
	}
	return xml_end(&x);
}

RESULT cs_end_body(struct cs_call *e, struct buf *body)
{
	e->content_type = e->is_json ? CS_JSON : "text/xml;charset=UTF-8";
	if (e->is_json)
		return OK;
	struct buf out;
	json_t *answer = json_loadb(body->p, body->size, 0, NULL);
	if (!answer)
		return ctx_no_memory(e->c);
	buf_init(&out, BUF_ANSWER_CAP);
	struct result result = write_document(answer, &out);
	json_decref(answer);
	buf_done(body);
	*body = out;
	return result;
}

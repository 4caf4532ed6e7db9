/* SPDX-License-Identifier: Apache-2.0
 * Files of a host: see files.h. Source: CIMWin32 provider, CIM_DataFile. A query names drive, folder and extension, because WMI
 * otherwise looks at each file of the host. */
#include "drivers/remote/hyperv/files.h"

enum { FILES_NOT_FOUND = 9, FILES_MAX = 10 };

struct str files_made_disk(struct ctx *c, struct str folder, uuid token)
{
	char text[UUID_TEXT_SIZE];
	return str_print(c->arena, "%" STR_FMT "\\" FILES_MADE "%s.vhdx", STR_ARG(folder),
			 uuid_write(token, text));
}

RESULT files_have(struct wsman_link *l, struct str path, bool *ret_has)
{
	static const char *const wanted[] = {"Name", NULL};
	struct wsman_instance *i = arena_new_object(l->c->arena, struct wsman_instance);
	if (!i)
		return ctx_no_memory(l->c);
	const struct wsman_query query = {WINDOWS_SPACE,
					  str_print(l->c->arena,
						    "select * from CIM_DataFile where Name = %" STR_FMT,
						    STR_ARG(wsman_quote(l->c, path))),
					  FILES_MAX};
	return wsman_find(l, &query, wanted, i, ret_has);
}

static RESULT invoke(struct wsman_call *q, int64_t *ret_value)
{
	static const char *const wanted[] = {"ReturnValue", NULL};
	struct ctx *c = q->link->c;
	struct wsman_instance *result = arena_new_object(c->arena, struct wsman_instance);
	if (!result)
		return buf_done(&q->body), ctx_no_memory(c);
	TRY(wsman_invoke(q, wanted, result));
	return result_is_ok(str_parse_int(wsman_get(result, "ReturnValue"), ret_value))
		       ? OK
		       : remote_fail_answer(c, "a method returns no value");
}

static struct wsman_object object_of(struct str path)
{
	return (struct wsman_object){WINDOWS_SPACE, "CIM_DataFile", {{"Name", path}}};
}

RESULT files_delete(struct wsman_link *l, struct str path)
{
	struct wsman_call q;
	int64_t value = 0;
	const struct wsman_object file = object_of(path);
	wsman_begin(&q, l, "Delete", &file);
	struct result result = invoke(&q, &value);
	if (result.code == ERR_NOT_FOUND || (result_is_ok(result) && value == FILES_NOT_FOUND)) {
		ctx_clear_problem(l->c);
		return OK;
	}
	TRY(result);
	return value ? ctx_fail(l->c, value == 2 ? ERR_DENIED : ERR_AGAIN,
				"The file %" STR_FMT " was not deleted (%lld).", STR_ARG(path),
				(long long) value)
		     : OK;
}

RESULT files_rename(struct wsman_link *l, struct str path, struct str to)
{
	struct wsman_call q;
	int64_t value = 0;
	const struct wsman_object file = object_of(path);
	wsman_begin(&q, l, "Rename", &file);
	wsman_put(&q, "FileName", to);
	TRY(invoke(&q, &value));
	return value ? ctx_fail(l->c, value == 2 ? ERR_DENIED : ERR_AGAIN,
				"The file %" STR_FMT " was not renamed (%lld).", STR_ARG(path),
				(long long) value)
		     : OK;
}

struct str files_query_images(struct ctx *c, struct str folder)
{
	struct str path = str_print(c->arena, "%" STR_FMT "\\", STR_ARG(str_slice(folder, 2, folder.n)));
	return str_print(c->arena,
			 "select * from CIM_DataFile where Drive = '%" STR_FMT "' and Path = %" STR_FMT
			 " and Extension = 'vhdx'",
			 STR_ARG(str_slice(folder, 0, 2)), STR_ARG(wsman_quote(c, path)));
}

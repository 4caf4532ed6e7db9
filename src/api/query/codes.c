/* SPDX-License-Identifier: Apache-2.0
 * Checks the tables of errors against the lists of documented codes.
 */
#include "api/query/codes.h"

#include "api/query/query_call.h"

bool query_is_answered_code(const struct query_codes *codes, const char *code)
{
	for (size_t k = 0; k < codes->errors->count; k++)
		if (strcmp(codes->errors->at[k].code, code) == 0)
			return true;
	for (int fault = SIGV4_FINE + 1; fault <= SIGV4_SCOPE; fault++)
		if (strcmp(query_faults[fault].code, code) == 0)
			return true;
	return false;
}

const char *query_why_no_code(const struct query_codes *codes, const char *code)
{
	for (size_t k = 0; k < codes->reason_count; k++)
		if (strcmp(codes->reasons[k].code, code) == 0)
			return codes->reasons[k].why;
	return NULL;
}

static bool is_listed(const struct query_code *code, const char *action)
{
	return action ? params_has_word(code->actions, str_from(action)) : strcmp(code->actions, "*") == 0;
}

static void dump_some(struct json_writer *w, const char *key, const struct query_codes *codes,
		      const char *action, bool answered)
{
	json_write_open_list(w, key);
	for (size_t k = 0; k < codes->count; k++)
		if (is_listed(&codes->at[k], action) &&
		    query_is_answered_code(codes, codes->at[k].code) == answered)
			json_write_z(w, NULL, codes->at[k].code);
	json_write_close_list(w);
}

void query_dump_codes(struct json_writer *w, const struct query_codes *codes, const char *action)
{
	dump_some(w, "codes", codes, action, true);
	dump_some(w, "codes_left_out", codes, action, false);
}

/* ---- the page ---- */

static void write_some(struct buf *out, const struct query_codes *codes, const char *action, bool answered)
{
	const char *comma = "";
	for (size_t k = 0; k < codes->count; k++) {
		if (!is_listed(&codes->at[k], action) ||
		    query_is_answered_code(codes, codes->at[k].code) != answered)
			continue;
		buf_print(out, "%s%s", comma, codes->at[k].code);
		comma = ", ";
	}
}

static void write_row(struct buf *out, const struct query_codes *codes, const char *action)
{
	buf_print(out, "| %s | ", action ? action : "all");
	write_some(out, codes, action, true);
	buf_add_str(out, STR(" | "));
	write_some(out, codes, action, false);
	buf_add_str(out, STR(" |\n"));
}

void query_write_code_reasons(struct buf *out, const struct query_codes *codes)
{
	for (size_t k = 0; k < codes->reason_count; k++)
		buf_print(out, "| %s | %s |\n", codes->reasons[k].why, codes->reasons[k].code);
}

void query_write_codes(struct buf *out, const struct query_codes *codes, const struct api_groups *groups)
{
	buf_add_str(out, STR("| action | answered | never answered |\n| --- | --- | --- |\n"));
	write_row(out, codes, NULL);
	for (size_t g = 0; g < groups->count; g++)
		for (size_t k = 0; k < groups->at[g]->count; k++) {
			const char *name = api_action_at(groups->at[g], k)->name;
			bool is_any = false;
			for (size_t n = 0; n < codes->count && !is_any; n++)
				is_any = is_listed(&codes->at[n], name);
			if (is_any)
				write_row(out, codes, name);
		}
	buf_add_str(out, STR("\n| why a code is never answered | code |\n| --- | --- |\n"));
	query_write_code_reasons(out, codes);
}

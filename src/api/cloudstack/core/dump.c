/* SPDX-License-Identifier: Apache-2.0
 * Dumps the tables as JSON for `dari dump cloudstack` and for tests that send supported and refused
 * parameters.
 */
#include "api/core/dump.h"
#include "api/cloudstack/core/action.h"

static void write_param(struct json_writer *w, const struct param *p)
{
	json_write_bool(w, "by_name", p->flags & BY_NAME);
	json_write_bool(w, "base64", p->flags & BASE64);
	if (param_none(p))
		json_write_z(w, "none", param_none(p));
}

static const struct dump_form form = {.face = "cloudstack",
				      .is_of_pairs = true,
				      .list_suffix = "",
				      .write_param = write_param,
				      .text_max = 255};

static void write_action(struct json_writer *w, const struct cs_action *a)
{
	const struct api_listing *shown = a->listing ? a->listing : a->shows;
	dump_open_action(w, &form, &a->core, "cloudstack", a->name);
	json_write_bool(w, "admin", a->flags & CS_ADMIN);
	json_write_bool(w, "of_account", a->flags & CS_OF_ACCOUNT);
	json_write_bool(w, "is_async", cs_is_async(a));
	json_write_z(w, "item", a->item ? a->item : shown ? shown->item : NULL);
	dump_params(w, &form, NULL, &a->args);
	json_write_close(w);
}

static const struct cloudstack_left_out left_out[] = {
#define LEFT_OUT(commands, what, why) {commands, what, why},
#include "api/cloudstack/core/left_out.def"
#undef LEFT_OUT
};

const struct cloudstack_left_out *cloudstack_list_left_out(size_t *ret_count)
{
	*ret_count = sizeof left_out / sizeof left_out[0];
	return left_out;
}

static void write_left_out(struct json_writer *w)
{
	json_write_open_list(w, "left_out");
	for (size_t k = 0; k < sizeof left_out / sizeof left_out[0]; k++) {
		struct str rest = str_from(left_out[k].commands), name;
		while (str_split_next(&rest, '|', &name))
			json_write_text(w, NULL, name);
	}
	json_write_close_list(w);
}

void cloudstack_dump_actions(struct buf *out)
{
	const struct api_groups *groups = cloudstack_protocol.groups;
	struct json_writer w;
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "actions");
	for (size_t g = 0; g < groups->count; g++)
		for (size_t k = 0; k < groups->at[g]->count; k++)
			write_action(&w, cs_row_of(api_action_at(groups->at[g], k)));
	json_write_close_list(&w);
	write_left_out(&w);
	json_write_close(&w);
}

/* SPDX-License-Identifier: Apache-2.0
 * dari whatwas: what a resource was at a time, from the log of former states: its fields, or the answer that a face
 * gives from the rows of that time. */
#include <inttypes.h>

#include "api/azure/core/azure.h"
#include "api/cloudstack/core/cloudstack.h"
#include "api/core/explain.h"
#include "api/core/face.h"
#include "api/ec2/core/ec2.h"
#include "api/native/native.h"
#include "api/openstack/core/openstack.h"
#include "base/clock.h"
#include "daemon/explain.h"
#include "daemon/history/past_region.h"
#include "store/past.h"

enum { AS_EC2, AS_OPENSTACK, AS_CLOUDSTACK, AS_AZURE, AS_NATIVE };
static const char *const faces[] = {"ec2", "openstack", "cloudstack", "azure", "native", NULL};

/* Calls by which the faces show one row of a kind; NULL: the face has no such resource. EC2 has an action and its id
 * parameter, OpenStack a path ({project}: the account's), CloudStack a command. */
static const struct wording {
	enum kind kind;
	const char *action, *parameter, *path, *command, *list;
} wordings[] = {
	{KIND_INSTANCE, "DescribeInstances", "InstanceId.1", "/compute/v2.1/servers/", "listVirtualMachines",
	 "instances"},
	{KIND_VOLUME, "DescribeVolumes", "VolumeId.1", "/volume/v3/{project}/volumes/", "listVolumes",
	 "volumes"},
	{KIND_SNAPSHOT, "DescribeSnapshots", "SnapshotId.1", "/volume/v3/{project}/snapshots/",
	 "listSnapshots", "snapshots"},
	{KIND_IMAGE, "DescribeImages", "ImageId.1", "/image/v2/images/", NULL, "images"},
	{KIND_PORT, "DescribeNetworkInterfaces", "NetworkInterfaceId.1", "/network/v2.0/ports/", NULL,
	 "ports"},
	{KIND_SUBNET, "DescribeSubnets", "SubnetId.1", "/network/v2.0/subnets/", NULL, "subnets"},
	{KIND_ROUTER, "DescribeVpcs", "VpcId.1", "/network/v2.0/routers/", NULL, "routers"},
	{KIND_NETWORK, NULL, NULL, "/network/v2.0/networks/", "listNetworks", "networks"},
	{KIND_ADDRESS, "DescribeAddresses", "AllocationId.1", "/network/v2.0/floatingips/",
	 "listPublicIpAddresses", "addresses"},
	{KIND_SECURITY_GROUP, "DescribeSecurityGroups", "GroupId.1", "/network/v2.0/security-groups/",
	 "listSecurityGroups", "security-groups"},
};

static const struct wording *wording_of(enum kind kind)
{
	for (size_t k = 0; k < sizeof wordings / sizeof wordings[0]; k++)
		if (wordings[k].kind == kind)
			return &wordings[k];
	return NULL;
}

/* ---- finding it ---- */

/* The beginning of the UUID that the text names, and the row if it is still there. */
static RESULT find(struct command_call *call, const struct tables *t, struct str *ret_id,
		   const struct row **ret_row)
{
	struct str text = command_arg(call, "id");
	struct ref ref = {0};
	char whole[UUID_TEXT_SIZE];
	enum kind kind = id_kind_of_ec2(text);
	uuid id = UUID_NONE;
	*ret_row = NULL;
	if (kind != KIND_NONE && result_is_ok(id_parse_ec2(text, kind, &ref))) {
		uuid_write(ref.prefix, whole);
		/* 17 digits, behind two dashes */
		*ret_id = str_copy(call->ctx.arena, str_slice(str_from(whole), 0, ref.bits == 68 ? 20 : 36));
		*ret_row = tables_find_prefix(t, kind, ref.prefix, ref.bits);
		return OK;
	}
	if (!result_is_ok(uuid_parse(text, &id)))
		return ctx_fail_field(&call->ctx, ERR_INVALID, STR("id"),
				      "%" STR_FMT " is neither an id nor a UUID", STR_ARG(text));
	*ret_id = uuid_to_str(call->ctx.arena, id);
	for (enum kind k = 1; k < KIND_COUNT && !*ret_row; k++)
		*ret_row = tables_find(t, k, id);
	return OK;
}

/* Says honestly what the log does not know. */
static RESULT check_reach(struct command_call *call, const struct past_row *past, int64_t at_us)
{
	char reach[CLOCK_TEXT_SIZE];
	struct str text = command_arg(call, "id");
	if (!past->row && past->kind == KIND_NONE)
		return ctx_fail(
			&call->ctx, ERR_NOT_FOUND,
			"nothing that is here, or that the history since %s knows, is called %" STR_FMT,
			clock_write_s(past->reach_us, reach), STR_ARG(text));
	if (at_us < past->reach_us)
		return ctx_fail_field(
			&call->ctx, ERR_GONE, STR("at"),
			"the history of resources reaches back to %s: what %" STR_FMT
			" was before is not known. A backup of that time may know it (dari backup --list)",
			clock_write_s(past->reach_us, reach), STR_ARG(text));
	return OK;
}

/* ---- the answer ---- */

static const char *state_in(enum kind kind, const struct row *row, int face)
{
	const struct kind_info *k = &model_kinds[kind];
	if (!model_tells_state(kind))
		return row_is_live(row) ? "present" : "deleting";
	const struct state_info *s = &k->states[model_derive_state(kind, row)];
	const char *openstack = kind == KIND_VOLUME || kind == KIND_SNAPSHOT ? s->cinder : s->nova;
	const char *const words[] = {s->ec2, openstack, s->cloudstack, s->azure, s->name};
	return words[face] ? words[face] : s->name;
}

static void tell_row(struct command_call *call, const struct tables *t, const struct past_row *past,
		     int64_t at_us, int face)
{
	const struct row *row = past->row;
	char at[CLOCK_TEXT_SIZE], id[UUID_TEXT_SIZE];
	const char *state = state_in(past->kind, row, face);
	buf_print(&call->text, "%" STR_FMT " at %s: %s %s, %s; %zu changes since\n",
		  STR_ARG(command_arg(call, "id")), clock_write_s(at_us, at), model_kinds[past->kind].name,
		  uuid_write(row->id, id), state, past->changes);
	call->value = json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:b}", "kind", model_kinds[past->kind].name,
				"id", id, "at", at, "state", state, "existed", 1, "changes",
				(json_int_t) past->changes, "deleted", !row_is_live(row));
	explain_row(call, t, past->kind, row);
}

static struct str with_project(struct arena *a, const char *path, struct str project)
{
	const char *at = strstr(path, "{project}");
	return at ? str_print(a, "%.*s%" STR_FMT "%s", (int) (at - path), path, STR_ARG(project),
			      at + strlen("{project}"))
		  : str_from(path);
}

static struct str hex_of(struct arena *a, uuid id)
{
	return str_encode_hex(a, id.b, sizeof id.b);
}

static const struct api_protocol *word_azure_request(struct arena *a, struct past_region *region,
						     const struct past_row *past, uuid account,
						     struct str *ret_path, struct str *ret_query)
{
	struct str version = STR_NONE;
	AUTO_VIEW view = {0};
	view_open(past_region_store(region), &view);
	*ret_path = azure_find_path(a, view.tables, account, past->kind, past->row->id, &version);
	*ret_query = str_print(a, "api-version=%" STR_FMT, STR_ARG(version));
	return ret_path->n ? &azure_protocol : NULL;
}

/* The request that shows the row; protocol NULL: the face has none. */
static const struct api_protocol *word_request(struct arena *a, struct past_region *region,
					       const struct past_row *past, uuid account, int face,
					       struct str *ret_path, struct str *ret_query)
{
	if (face == AS_AZURE)
		return word_azure_request(a, region, past, account, ret_path, ret_query);
	const struct wording *w = wording_of(past->kind);
	struct str id = uuid_to_str(a, past->row->id);
	*ret_query = STR_NONE;
	if (!w)
		return NULL;
	if (face == AS_EC2 && w->action) {
		struct str ec2 = id_to_ec2(a, past->kind, past->row->id);
		*ret_path = STR("/");
		*ret_query = str_print(a, "Action=%s&Version=2016-11-15&%s=%" STR_FMT, w->action,
				       w->parameter, STR_ARG(ec2));
		return &ec2_protocol;
	}
	if (face == AS_OPENSTACK) {
		*ret_path = str_print(a, "%" STR_FMT "%" STR_FMT,
				      STR_ARG(with_project(a, w->path, hex_of(a, account))), STR_ARG(id));
		return &openstack_protocol;
	}
	if (face == AS_CLOUDSTACK && w->command) {
		*ret_path = STR("/client/api");
		*ret_query = str_print(a, "command=%s&response=json&id=%" STR_FMT, w->command, STR_ARG(id));
		return &cloudstack_protocol;
	}
	*ret_path = str_print(a, "/api/v1/%s/%" STR_FMT, w->list, STR_ARG(id));
	return face == AS_NATIVE ? &native_protocol : NULL;
}

static RESULT tell_face(struct command_call *call, const struct past_row *past, int64_t at_us, int face)
{
	struct ctx *c = &call->ctx;
	AUTO(past_region) region = NULL;
	size_t offset = model_kinds[past->kind].account_offset;
	uuid account =
		offset ? *(const uuid *) (const void *) ((const char *) past->row + offset) : UUID_NONE;
	struct str path = STR_NONE, query = STR_NONE, text = STR_NONE;
	int status = 0;
	TRY(past_region_open(c, call->daemon, at_us, &region));
	const struct api_protocol *protocol =
		word_request(c->arena, region, past, account, face, &path, &query);
	if (!protocol)
		return ctx_fail_field(
			c, ERR_UNSUPPORTED, STR("as"),
			"how %s shows a resource of this kind (%s) is not built here: ask without --as",
			faces[face], model_kinds[past->kind].name);
	TRY(past_region_ask(c, region, protocol, account, path, query, &status, &text));
	buf_print(&call->text, "%" STR_FMT "\n", STR_ARG(text));
	call->value = json_pack("{s:i, s:s%}", "status", status, "answer", text.p, text.n);
	call->status = status / 100 != 2;
	return OK;
}

static RESULT whatwas(struct command_call *call)
{
	struct ctx *c = &call->ctx;
	struct past_row past = {0};
	struct str id = STR_NONE;
	const struct row *present = NULL;
	int64_t at_us = 0;
	int face = -1;
	if (!result_is_ok(clock_parse(command_arg(call, "at"), &at_us)))
		return ctx_fail_field(c, ERR_INVALID, STR("at"),
				      "--at wants a time, for example 2026-11-28T12:00:00Z");
	TRY(command_word_arg(call, "as", faces, -1, &face));
	if (at_us > clock_now_us())
		return ctx_fail_field(c, ERR_INVALID, STR("at"), "--at is in the future");
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	TRY(find(call, view.tables, &id, &present));
	view_end_read(&view);
	TRY(store_read_past(call->daemon->store, c, id, present, at_us, &past));
	TRY(check_reach(call, &past, at_us));
	view_close(&view);
	if (!past.row) {
		buf_print(&call->text, "%" STR_FMT " did not exist then, or was gone already\n",
			  STR_ARG(command_arg(call, "id")));
		call->value = json_pack("{s:b}", "existed", 0);
		call->status = 1;
		return OK;
	}
	if (face >= 0)
		return tell_face(call, &past, at_us, face);
	AUTO_VIEW now = {0};
	view_open(call->daemon->store, &now);
	tell_row(call, now.tables, &past, at_us, AS_NATIVE);
	return OK;
}

const struct command whatwas_commands[] = {
	{"whatwas",
	 "Shows a resource as it was at a time, even if it was deleted since: its fields, or an API's "
	 "answer. Exit status 1 if it did not exist.",
	 {{"id", PARAM_POSITIONAL, true, "An id of EC2, or a UUID."},
	  {"at", PARAM_OPTION, true, "The time: 2026-11-28T12:00:00Z."},
	  {"as", PARAM_OPTION, false,
	   "API whose answer is shown: ec2, openstack, cloudstack, azure or native. Users, hosts and rules "
	   "appear as they are now."}},
	 .run = whatwas,
	 .is_anywhere = true},
	{0},
};

/* SPDX-License-Identifier: Apache-2.0
 * Members: the projects with which an image is shared. EC2 calls them launch permissions. */
#include "api/openstack/core/write.h"
#include "api/openstack/image/images.h"
#include "model/image.h"

struct os_member {
	struct image_settings wish;
	struct ref image, member;
};
static const struct param list_params[] = {OS_IMAGE_PATH(struct os_member, image)};
static const struct param add_params[] = {
	OS_IMAGE_PATH(struct os_member, image),
	OS_BODY(struct os_member, "member", member, .flags = REQUIRED, .kind = KIND_ACCOUNT,
		.doc = "Project that the image is shared with."),
};
#define MEMBER_PATH(T)                                                                                       \
	OS_PATH(T, "member_id", member, .kind = KIND_ACCOUNT, .doc = "Project that the image is shared with.")
static const struct param member_params[] = {
	OS_IMAGE_PATH(struct os_member, image),
	MEMBER_PATH(struct os_member),
};

static void write_member(struct json_writer *w, const struct image *image, uuid account)
{
	static const char *const words[] = {"pending", "accepted", "rejected"};
	os_write_hex(w, "member_id", account);
	os_write_id(w, "image_id", image->row.id);
	json_write_z(w, "status", words[engine_image_answer(image, account)]);
	os_write_time(w, "created_at", image->row.created_us);
	os_write_time(w, "updated_at", image->row.updated_us);
	json_write_z(w, "schema", "/v2/schemas/member");
}

/* The owner sees all members, a member only itself. */
static bool may_see(struct os_call *e, const struct image *image, uuid account)
{
	return engine_is_own(e->c, KIND_IMAGE, &image->row) || uuid_equal(account, e->c->who->account);
}

static RESULT list_members(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_member *a = args;
	const struct image *image = NULL;
	TRY(engine_find_image(e->c, os_tables(e), &a->image, &image));
	json_write_open_list(w, "members");
	for (size_t k = 0; k < image->launchers.count; k++) {
		if (!may_see(e, image, image->launchers.at[k]))
			continue;
		json_write_open(w, NULL);
		write_member(w, image, image->launchers.at[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_z(w, "schema", "/v2/schemas/members");
	return OK;
}

static RESULT show(struct os_call *e, const struct ref *ref, uuid account, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find(e, KIND_IMAGE, ref, &row));
	const struct image *image = image_of(row);
	if (!uuids_have(&image->launchers, account) || !may_see(e, image, account))
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_ACCOUNT, "The image has no such member.");
	write_member(w, image, account);
	return OK;
}

static RESULT show_member(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_member *a = args;
	return show(e, &a->image, a->member.prefix, w);
}

static RESULT prepare_add(struct os_call *e, void *args)
{
	struct os_member *a = args;
	const struct image *image = NULL;
	TRY(os_find_changed_image(e, &a->image, &image));
	a->wish.image = a->image;
	a->wish.only_shared = a->wish.is_exact = true;
	a->wish.sharing.add = (struct refs){&a->member, 1};
	return OK;
}

static RESULT prepare_remove(struct os_call *e, void *args)
{
	struct os_member *a = args;
	const struct image *image = NULL;
	TRY(os_find_changed_image(e, &a->image, &image));
	a->wish.image = a->image;
	a->wish.is_exact = true;
	a->wish.sharing.remove = (struct refs){&a->member, 1};
	return OK;
}

/* ---- a member's own word ---- */

struct os_member_answer {
	struct image_answering wish;
	struct ref member;
	struct str status, said_member;
};
static const struct param answer_params[] = {
	OS_IMAGE_PATH(struct os_member_answer, wish.image),
	MEMBER_PATH(struct os_member_answer),
	OS_BODY(struct os_member_answer, "status", status, .flags = REQUIRED,
		.words = "pending|accepted|rejected",
		.doc = "accepted: the image appears in the member's lists."),
	OS_BODY(struct os_member_answer, "member", said_member,
		.doc = "Accepted and ignored; the path names the member."),
};

static RESULT prepare_answer(struct os_call *e, void *args)
{
	struct os_member_answer *a = args;
	if (!uuid_equal(a->member.prefix, e->c->who->account))
		return ctx_fail_kind(e->c, ERR_DENIED, KIND_IMAGE,
				     "You are not permitted to modify the status of this member.");
	a->wish.answer = str_is(a->status, "accepted")   ? IMAGE_ANSWER_ACCEPTED
			 : str_is(a->status, "rejected") ? IMAGE_ANSWER_REJECTED
							 : IMAGE_ANSWER_PENDING;
	return OK;
}

static RESULT show_answer(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_member_answer *a = args;
	return show(e, &a->wish.image, a->member.prefix, w);
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2/images/{image_id}/members", .permit = "get_members",
	 .args = OS_PARAMS(struct os_member, list_params), .answer = list_members,
	 .doc = "Lists the projects that an image is shared with."},
	{HTTP_POST, "/v2/images/{image_id}/members", .permit = "add_member", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_member, add_params), .prepare = prepare_add,
	 .operation = engine_update_image_run, .returns = KIND_IMAGE, .answer = show_member,
	 .doc = "Shares an image with a project."},
	{HTTP_GET, "/v2/images/{image_id}/members/{member_id}", .permit = "get_member",
	 .args = OS_PARAMS(struct os_member, member_params), .answer = show_member,
	 .doc = "Shows one member."},
	{HTTP_PUT, "/v2/images/{image_id}/members/{member_id}", .permit = "modify_member",
	 .flags = API_WRITES, .args = OS_PARAMS(struct os_member_answer, answer_params),
	 .prepare = prepare_answer, .operation = engine_answer_image_run, .returns = KIND_IMAGE,
	 .answer = show_answer, .doc = "Accepts or rejects a shared image, as its member."},
	{HTTP_DELETE, "/v2/images/{image_id}/members/{member_id}", .permit = "delete_member",
	 .flags = API_WRITES, .status = 204, .args = OS_PARAMS(struct os_member, member_params),
	 .prepare = prepare_remove, .operation = engine_update_image_run,
	 .doc = "Stops sharing an image with a project."},
};
const struct os_actions os_image_member_actions = OS_ACTIONS(OS_IMAGE, actions);

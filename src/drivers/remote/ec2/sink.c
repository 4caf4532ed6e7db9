/* SPDX-License-Identifier: Apache-2.0
 * Writes snapshots block by block, and makes an image of them, for migrations to AWS and to another Dari. Sources: EBS
 * direct APIs Reference (2019-11-02), StartSnapshot, PutSnapshotBlock and CompleteSnapshot; EC2 API Reference, RegisterImage,
 * DescribeImages, DeregisterImage, DescribeSnapshots and ModifyInstanceAttribute. */
#include <inttypes.h>
#include <jansson.h>

#include "base/crypto.h"
#include "drivers/remote/draft.h"
#include "drivers/remote/ec2/blocks.h"
#include "drivers/remote/ec2/request.h"
#include "drivers/remote/json.h"
#include "model/sigv4_sign.h"

/* TIMEOUT_MIN: the cloud fails a snapshot that gets no block for so long; a region may be down for a day. */
enum { TIMEOUT_MIN = 1440, IMAGES_MAX = 64, MORE_MAX = 4 };
#define GIB (INT64_C(1) << 30)
#define NO_SNAPSHOT "snap-00000000000000000"
#define NO_IMAGE "ami-00000000000000000"
#define NO_INSTANCE "i-00000000000000000"
#define ERROR_HEADER "x-amzn-ErrorType"

/* ---- one call of EBS direct ---- */

struct ebs_call {
	const char *method;
	struct str path, body;
	struct sigv4_header more[MORE_MAX];
	size_t more_count;
	bool is_document; /* the body is JSON */
};

static RESULT send(struct ctx *c, struct remote *r, const struct ebs_call *call,
		   struct remote_answer *ret_http)
{
	struct remote_url url;
	struct str base = ec2_endpoint_of(c, r, "ebs");
	while (str_ends_with(base, STR("/")))
		base = str_slice(base, 0, base.n - 1);
	struct remote_request request = {
		.method = call->method,
		.url = str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(base), STR_ARG(call->path)),
		.body = call->body,
		.wanted_header = ERROR_HEADER,
		.only_reads = true /* the same block may be written twice, and tokens cover the rest */};
	TRY(remote_parse_url(c, request.url, &url));
	TRY(ec2_sign_headers(c, r, "ebs", &url, STR_NONE, call->more, call->more_count, &request));
	request.headers[0] = call->is_document ? "Content-Type: application/json"
					       : "Content-Type: application/octet-stream";
	return remote_send(c, r, &request, ret_http);
}

/* Sends a call that only its status answers. */
static RESULT tell(struct ctx *c, struct remote *r, const struct ebs_call *call, int status)
{
	struct remote_answer http = {0};
	struct result result = send(c, r, call, &http);
	if (result_is_ok(result) && http.status != status)
		result = ec2_refuse_block_call(c, r, http.status, buf_str(&http.body), http.header);
	buf_done(&http.body);
	return result;
}

/* ---- snapshots ---- */

static json_t *tag_of(const char *key, const char *value)
{
	return json_pack("{s:s, s:s}", "Key", key, "Value", value);
}

static struct str write_start(struct ctx *c, const struct remote_sink *sink)
{
	char migration[UUID_TEXT_SIZE], token[UUID_TEXT_SIZE];
	(void) uuid_write(sink->migration, migration);
	(void) uuid_write(sink->token, token);
	json_t *root = json_pack("{s:I, s:s, s:i, s:s, s:[o, o, o]}", "VolumeSize",
				 (json_int_t) ((sink->size + GIB - 1) / GIB), "ClientToken",
				 uuid_write(sink->token, token), "Timeout", (int) TIMEOUT_MIN, "Description",
				 str_print(c->arena, "Migration %s, round %" PRId64,
					   uuid_write(sink->migration, migration), sink->round)
					 .p,
				 "Tags", tag_of("dari:migration", migration),
				 tag_of("dari:round", str_print(c->arena, "%" PRId64, sink->round).p),
				 tag_of("dari:disk", str_print(c->arena, "%" PRId64, sink->number).p));
	if (sink->base.n)
		(void) json_object_set_new(root, "ParentSnapshotId",
					   json_stringn(sink->base.p, sink->base.n));
	char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
	struct str copy = text ? str_copy(c->arena, str_from(text)) : STR_NONE;
	free(text);
	json_decref(root);
	return copy;
}

static RESULT take_started(struct ctx *c, const struct remote_answer *http, struct str *ret_point)
{
	json_t *root = NULL;
	TRY(remote_parse_json(c, buf_str(&http->body), &root));
	*ret_point = str_copy(c->arena, remote_json_text(c, root, "SnapshotId"));
	json_decref(root);
	return draft_is_id(*ret_point)
		       ? OK
		       : ctx_fail(c, ERR_IO, "The answer is not usable: it names no snapshot.");
}

static RESULT begin(struct ctx *c, struct remote *r, const struct remote_sink *sink, struct str *ret_point)
{
	struct remote_answer http = {0};
	struct ebs_call call = {.method = "POST",
				.path = STR("/snapshots"),
				.body = write_start(c, sink),
				.is_document = true};
	if (!call.body.p)
		return ctx_no_memory(c);
	struct result result = send(c, r, &call, &http);
	if (result_is_ok(result))
		result = http.status == 201 || http.status == 200
				 ? take_started(c, &http, ret_point)
				 : ec2_refuse_block_call(c, r, http.status, buf_str(&http.body), http.header);
	buf_done(&http.body);
	return result;
}

static RESULT put(struct ctx *c, struct remote *r, struct str point, int64_t index,
		  const uint8_t bytes[static REMOTE_BLOCK_SIZE], const uint8_t digest[static SHA256_SIZE])
{
	struct ebs_call call = {
		.method = "PUT",
		.path = str_print(c->arena, "/snapshots/%" STR_FMT "/blocks/%" PRId64, STR_ARG(point), index),
		.body = {(const char *) bytes, REMOTE_BLOCK_SIZE},
		.more = {{STR("x-amz-checksum"),
			  str_encode_base64(c->arena, (struct str){(const char *) digest, SHA256_SIZE})},
			 {STR("x-amz-checksum-algorithm"), STR("SHA256")},
			 {STR("x-amz-data-length"), str_print(c->arena, "%d", REMOTE_BLOCK_SIZE)}},
		.more_count = 3};
	return tell(c, r, &call, 201);
}

/* Without the checksum over all blocks, which is optional: the reference does not say whether it joins texts or bytes. */
static RESULT end(struct ctx *c, struct remote *r, struct str point, int64_t blocks)
{
	struct ebs_call call = {
		.method = "POST",
		.path = str_print(c->arena, "/snapshots/completion/%" STR_FMT, STR_ARG(point)),
		.more = {{STR("x-amz-changedblockscount"), str_print(c->arena, "%" PRId64, blocks)}},
		.more_count = 1};
	return tell(c, r, &call, 202);
}

static RESULT look(struct ctx *c, struct remote *r, struct str point, struct remote_point *ret_point)
{
	struct ec2_form f;
	struct ec2_items list = {.path = "snapshotSet/item", .fields = {"snapshotId", "status"}, .most = 16};
	ec2_form_begin(&f, c, "DescribeSnapshots", EC2_VERSION);
	ec2_form_add(&f, "SnapshotId.1", point);
	TRY(ec2_call_items(&f, r, "DescribeSnapshotsResponse", &list, 1));
	if (list.count != 1 || !str_equal(list.at[0].at[0], point))
		return ctx_fail(c, ERR_IO,
				"The answer is not usable: it lacks the snapshot that was asked for.");
	*ret_point = (struct remote_point){.id = point,
					   .is_complete = str_is(list.at[0].at[1], "completed"),
					   .has_failed = str_is(list.at[0].at[1], "error")};
	return OK;
}

/* ---- the image ---- */

static struct str image_name(struct ctx *c, uuid migration)
{
	char text[UUID_TEXT_SIZE];
	return str_print(c->arena, "dari-migration-%s", uuid_write(migration, text));
}

enum { IMAGE_ID, IMAGE_NAME, IMAGE_STATE };

/* *ret_id empty: there is no such image. Some clouds ignore filters, so that names are compared. */
static RESULT find_image(struct ctx *c, struct remote *r, uuid migration, struct str *ret_id,
			 bool *ret_is_ready)
{
	struct ec2_form f;
	struct str name = image_name(c, migration);
	struct ec2_items list = {
		.path = "imagesSet/item", .fields = {"imageId", "name", "imageState"}, .most = IMAGES_MAX};
	*ret_id = STR_NONE;
	*ret_is_ready = false;
	ec2_form_begin(&f, c, "DescribeImages", EC2_VERSION);
	ec2_form_add(&f, "Owner.1", STR("self"));
	ec2_form_add(&f, "Filter.1.Name", STR("name"));
	ec2_form_add(&f, "Filter.1.Value.1", name);
	TRY(ec2_call_items(&f, r, "DescribeImagesResponse", &list, 1));
	for (size_t k = 0; k < list.count; k++)
		if (str_equal(list.at[k].at[IMAGE_NAME], name) && draft_is_id(list.at[k].at[IMAGE_ID])) {
			*ret_id = list.at[k].at[IMAGE_ID];
			*ret_is_ready = str_is(list.at[k].at[IMAGE_STATE], "available");
		}
	return OK;
}

/* Disks go with the machine until it has run, so that an undo leaves none: see keep_disks(). */
static RESULT register_image(struct ctx *c, struct remote *r, const struct remote_image_wish *wish)
{
	struct ec2_form f;
	struct ec2_answer answer;
	ec2_form_begin(&f, c, "RegisterImage", EC2_VERSION);
	ec2_form_add(&f, "Name", image_name(c, wish->migration));
	ec2_form_add(&f, "Description", wish->description);
	ec2_form_add(&f, "Architecture", wish->arch);
	ec2_form_add(&f, "BootMode", wish->boot_mode);
	ec2_form_add(&f, "VirtualizationType", STR("hvm"));
	ec2_form_add(&f, "EnaSupport", STR("true"));
	ec2_form_add(&f, "RootDeviceName", wish->disks[0].device);
	for (size_t k = 0; k < wish->count; k++) {
		ec2_form_add_nth(&f, "BlockDeviceMapping", k + 1, ".DeviceName", wish->disks[k].device);
		ec2_form_add_nth(&f, "BlockDeviceMapping", k + 1, ".Ebs.SnapshotId", wish->disks[k].base);
		ec2_form_add_nth(&f, "BlockDeviceMapping", k + 1, ".Ebs.DeleteOnTermination", STR("true"));
	}
	return ec2_call(&f, r, "ec2", &answer);
}

static RESULT make_image(struct ctx *c, struct remote *r, const struct remote_image_wish *wish,
			 struct remote_image *ret_image)
{
	struct str id = STR_NONE;
	bool is_ready = false;
	TRY(find_image(c, r, wish->migration, &id, &is_ready));
	if (!id.n) {
		TRY(register_image(c, r, wish));
		TRY(find_image(c, r, wish->migration, &id, &is_ready));
	}
	*ret_image = (struct remote_image){.is_ready = is_ready, .id = id};
	return OK;
}

/* The disks' snapshots have points of their own. */
static RESULT drop_image(struct ctx *c, struct remote *r, uuid migration,
			 const struct cloud_migration_disk *disks, size_t count)
{
	(void) disks, (void) count;
	struct ec2_form f;
	struct ec2_answer answer;
	struct str id = STR_NONE;
	bool is_ready = false;
	TRY(find_image(c, r, migration, &id, &is_ready));
	if (!id.n)
		return OK;
	ec2_form_begin(&f, c, "DeregisterImage", EC2_VERSION);
	ec2_form_add(&f, "ImageId", id);
	struct result result = ec2_call(&f, r, "ec2", &answer);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(c);
	return OK;
}

/* ---- the machine ---- */

static RESULT find_machine(struct ctx *c, struct remote *r, struct str name, uuid token,
			   struct remote_machine *ret_machine)
{
	(void) name;
	bool is_found = false;
	*ret_machine = (struct remote_machine){0};
	TRY(ec2_find_created(c, r, token, &is_found, ret_machine));
	if (!is_found)
		*ret_machine = (struct remote_machine){0};
	return OK;
}

static RESULT keep_disks(struct ctx *c, struct remote *r, struct str ref,
			 const struct cloud_migration_disk *disks, size_t count)
{
	struct ec2_form f;
	struct ec2_answer answer;
	size_t kept = 0;
	ec2_form_begin(&f, c, "ModifyInstanceAttribute", EC2_VERSION);
	ec2_form_add(&f, "InstanceId", ref);
	for (size_t k = 0; k < count; k++) {
		if (disks[k].goes_along)
			continue;
		kept++;
		ec2_form_add_nth(&f, "BlockDeviceMapping", kept, ".DeviceName", disks[k].device);
		ec2_form_add_nth(&f, "BlockDeviceMapping", kept, ".Ebs.DeleteOnTermination", STR("false"));
	}
	if (kept)
		return ec2_call(&f, r, "ec2", &answer);
	buf_done(&f.text);
	return OK;
}

/* ---- rights ---- */

/* A denied request for an absent snapshot shows that the right is missing. */
static RESULT try_block_right(struct ctx *c, struct remote *r, const struct ebs_call *call, const char *right,
			      struct remote_identity *identity)
{
	struct remote_answer http = {0};
	struct result result = send(c, r, call, &http);
	int status = http.status;
	struct str type = http.header;
	buf_done(&http.body);
	TRY(result);
	return status == 403 && str_starts_with(type, STR("AccessDenied"))
		       ? remote_add_lack(c, identity, str_from(right))
		       : OK;
}

static const struct {
	const char *action, *member, *value;
} actions[] = {{"DescribeSnapshots", "Owner.1", "self"},
	       {"DescribeImages", "Owner.1", "self"},
	       {"RegisterImage", "Name", "dari-migration"},
	       {"DeregisterImage", "ImageId", NO_IMAGE},
	       {"DeleteSnapshot", "SnapshotId", NO_SNAPSHOT},
	       {"ModifyInstanceAttribute", "InstanceId", NO_INSTANCE}};

static RESULT check(struct ctx *c, struct remote *r, uuid migration, struct strs *ret_lacks)
{
	(void) migration;
	struct remote_identity identity = {0};
	const struct ebs_call start = {.method = "POST",
				       .path = STR("/snapshots"),
				       .body = STR("{\"VolumeSize\":1,\"ParentSnapshotId\":\"" NO_SNAPSHOT
						   "\"}"),
				       .is_document = true},
			      complete = {.method = "POST",
					  .path = STR("/snapshots/completion/" NO_SNAPSHOT),
					  .more = {{STR("x-amz-changedblockscount"), STR("0")}},
					  .more_count = 1},
			      put_one = {.method = "PUT",
					 .path = STR("/snapshots/" NO_SNAPSHOT "/blocks/0"),
					 .more = {{STR("x-amz-data-length"), STR("0")}},
					 .more_count = 1};
	TRY(try_block_right(c, r, &put_one, "ebs:PutSnapshotBlock", &identity));
	TRY(try_block_right(c, r, &start, "ebs:StartSnapshot", &identity));
	TRY(try_block_right(c, r, &complete, "ebs:CompleteSnapshot", &identity));
	for (size_t k = 0; k < sizeof actions / sizeof actions[0]; k++)
		TRY(ec2_try_action(c, r, actions[k].action, actions[k].member, str_from(actions[k].value),
				   &identity));
	*ret_lacks = identity.lacks;
	return OK;
}

const struct remote_sink_ops ec2_sink_ops = {.points = &ec2_point_ops,
					     .check = check,
					     .begin = begin,
					     .put = put,
					     .end = end,
					     .look = look,
					     .make_image = make_image,
					     .drop_image = drop_image,
					     .find_machine = find_machine,
					     .keep_disks = keep_disks};

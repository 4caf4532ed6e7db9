/* SPDX-License-Identifier: Apache-2.0
 * MFA devices: virtual ones, which an account makes, and the second factors that users made in the console, which show
 * here under serial numbers of the same form. Sources: IAM's API Reference; IAM User Guide, "MFA in IAM". */
#include "api/iam/internal.h"
#include "api/iam/qr_code.h"
#include "auth/key/key.h"
#include "auth/sign_in/otp.h"
#include "base/clock.h"
#include "base/random.h"
#include "engine/people/credential/mfa_device.h"
#include "engine/people/credential/mfa_serial.h"
#include "engine/people/credential/second_factor.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "store/mfa_device.h"
#include "store/second_factor.h"
#include "store/user.h"

enum { SERIAL_MIN = 9, SERIAL_MAX = 256 };

#define SERIAL(T, member)                                                                                    \
	PARAM(T, "SerialNumber", member, .flags = REQUIRED, .min = SERIAL_MIN, .max = SERIAL_MAX,            \
	      .doc = "ARN of the MFA device.")
#define CODE(T, wire, member)                                                                                \
	PARAM(T, wire, member, .flags = REQUIRED, .min = OTP_DIGITS, .max = OTP_DIGITS,                      \
	      .doc = "Code that the device shows.")

/* ---- serial numbers ---- */

static struct str write_serial(struct iam_call *e, const struct second_factor *f)
{
	return mfa_serial_write(e->c->arena, iam_tables(e), e->c->who->account_number, f);
}

static RESULT fail_no_device(struct iam_call *e, struct str serial)
{
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_MFA_DEVICE,
			     "VirtualMFADevice with serial number %" STR_FMT " doesn't exist.",
			     STR_ARG(str_slice(serial, 0, SERIAL_MAX)));
}

/* A serial number ends with ":mfa", the path and the name. */
static RESULT find_device(struct iam_call *e, struct str serial, const struct mfa_device **ret_device)
{
	struct str name = iam_last_part(serial);
	size_t slash = str_find_char(serial, '/', 0);
	struct str path = slash < serial.n ? str_slice(serial, slash, serial.n - name.n) : STR("/");
	const struct mfa_device *device =
		mfa_device_find_by_account(iam_tables(e), e->c->who->account, path, name);
	if (!device || !str_equal(iam_arn(e, KIND_MFA_DEVICE, &device->row), serial))
		return fail_no_device(e, serial);
	TRY(engine_check_found(e->c, iam_tables(e), KIND_MFA_DEVICE, &device->row));
	*ret_device = device;
	return OK;
}

/* A factor that the user shows here, by its serial number. */
static RESULT find_factor(struct iam_call *e, const struct ref *user_ref, struct str serial,
			  const struct second_factor **ret_factor)
{
	const struct user *user = NULL;
	TRY(iam_find_user(e, user_ref, &user));
	const struct second_factor *f = second_factor_first_by_user(iam_tables(e), user->row.id);
	while (f && !(f->confirmed && str_equal(write_serial(e, f), serial)))
		f = second_factor_next_by_user(iam_tables(e), f);
	if (!f || !iam_may_see_owned(e, user))
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_MFA_DEVICE, "MFA Device invalid for user.");
	*ret_factor = f;
	return OK;
}

static struct ref by_id(enum kind kind, uuid id, struct str text, const char *field)
{
	struct ref ref = ref_by_id(kind, id);
	ref.text = text;
	ref.field = str_from(field);
	return ref;
}

/* ---- making ---- */

struct new_device {
	struct mfa_device_wish wish;
	struct str secret;
};
static const struct param create_params[] = {
	PARAM(struct new_device, "VirtualMFADeviceName", wish.name, .flags = REQUIRED, .min = 1, .max = 226,
	      .doc = "Name; unique in the account."),
	IAM_PATH(struct new_device, wish.path),
	IAM_TAGS(struct new_device, wish.tags),
};

/* A device is named by its serial number alone, so that has to fit into the parameter. */
static RESULT check_serial(struct iam_call *e, const struct mfa_device_wish *wish)
{
	size_t size = strlen("arn:aws:iam::111122223333:mfa/") + (wish->path.n ? wish->path.n - 1 : 0) +
		      wish->name.n;
	return size <= SERIAL_MAX
		       ? OK
		       : ctx_fail_field(
				 e->c, ERR_INVALID, STR("Path"),
				 "The serial number of the device, its ARN, would have %zu characters; "
				 "%d are allowed.",
				 size, SERIAL_MAX);
}

static RESULT prepare_new(struct iam_call *e, void *args)
{
	struct new_device *a = args;
	TRY(iam_check_name(e, a->wish.name, "VirtualMFADeviceName"));
	TRY(iam_check_path(e, a->wish.path, "Path"));
	TRY(iam_check_tags(e, a->wish.tags, false));
	TRY(check_serial(e, &a->wish));
	char *secret = arena_alloc(e->c->arena, OTP_SECRET_SIZE);
	if (!secret)
		return ctx_no_memory(e->c);
	random_bytes(secret, OTP_SECRET_SIZE);
	a->secret = (struct str){secret, OTP_SECRET_SIZE};
	a->wish.device = id_new(KIND_MFA_DEVICE);
	return key_seal(e->c, e->config->master_key, a->wish.device, a->secret, &a->wish.secret);
}

/* Both are base64: the seed is the base32 text, as AWS's is. */
static RESULT show_new(struct iam_call *e, const void *args, struct xml *x)
{
	const struct new_device *a = args;
	const struct row *row = NULL;
	struct str png = STR_NONE, name = STR_NONE;
	TRY(iam_find_returned(e, a->wish.device, &row));
	name = str_print(e->c->arena, "%" STR_FMT "@%" STR_FMT, STR_ARG(a->wish.name),
			 STR_ARG(e->c->who->account_number));
	TRY(qr_code_write(e->c, otp_write_uri(e->c, STR("Dari"), name, a->secret), &png));
	xml_open(x, "VirtualMFADevice");
	xml_text(x, "SerialNumber", iam_arn(e, KIND_MFA_DEVICE, row));
	xml_text(x, "Base32StringSeed",
		 str_encode_base64(e->c->arena, otp_write_base32(e->c->arena, a->secret)));
	xml_text(x, "QRCodePNG", str_encode_base64(e->c->arena, png));
	if (mfa_device_of(row)->tags.count)
		iam_write_tags(x, mfa_device_of(row)->tags);
	xml_close(x, "VirtualMFADevice");
	return OK;
}

/* ---- changes: arguments start with the engine's wish ---- */

struct clock_args {
	union {
		struct mfa_device_use use;
		struct second_factor_clock clock;
	};
	struct ref user;
	struct str serial, first, second;
};
struct taken_factor {
	struct second_factor_target wish;
	struct ref user;
	struct str serial;
};
struct gone_device {
	struct mfa_device_target wish;
	struct str serial;
};
struct tagged_device {
	struct entity_tags wish;
	struct str serial;
};
static const struct param clock_params[] = {IAM_USER(struct clock_args, user, | REQUIRED),
					    SERIAL(struct clock_args, serial),
					    CODE(struct clock_args, "AuthenticationCode1", first),
					    CODE(struct clock_args, "AuthenticationCode2", second)};
static const struct param deactivate_params[] = {IAM_USER(struct taken_factor, user),
						 SERIAL(struct taken_factor, serial)};
static const struct param delete_params[] = {SERIAL(struct gone_device, serial)};
static const struct param tag_params[] = {SERIAL(struct tagged_device, serial),
					  IAM_NEW_TAGS(struct tagged_device, wish.tags)};
static const struct param untag_params[] = {SERIAL(struct tagged_device, serial),
					    IAM_TAG_KEYS(struct tagged_device, wish.keys)};

static RESULT fail_code(struct iam_call *e)
{
	return ctx_fail_kind(e->c, ERR_INVALID, KIND_SECOND_FACTOR, SECOND_FACTOR_BAD_CODE);
}

/* Reads the clock of a device from two codes in a row. A clock that is off by one period counts as right, because
 * sign-in takes the codes of the periods around now anyway. */
static RESULT read_clock(struct iam_call *e, const struct clock_args *a, struct str secret,
			 int64_t *ret_period, int64_t *ret_drift)
{
	int64_t now_us = clock_now_us(), now = now_us / (OTP_PERIOD_S * SECOND);
	if (!otp_find_pair(secret, a->first, a->second, now_us, ret_period))
		return fail_code(e);
	*ret_drift = *ret_period - now;
	if (*ret_drift >= -OTP_DRIFT && *ret_drift <= OTP_DRIFT)
		*ret_drift = 0;
	return OK;
}

static RESULT prepare_enable(struct iam_call *e, void *args)
{
	struct clock_args *a = args;
	const struct mfa_device *device = NULL;
	const struct user *user = NULL;
	struct str secret = STR_NONE;
	TRY(iam_find_user(e, &a->user, &user));
	TRY(find_device(e, a->serial, &device));
	TRY(key_open(e->c, e->config->master_key, device->row.id, device->secret, &secret));
	TRY(read_clock(e, a, secret, &a->use.counter, &a->use.drift));
	a->use.user = by_id(KIND_USER, user->row.id, user->name, "UserName");
	a->use.device = by_id(KIND_MFA_DEVICE, device->row.id, a->serial, "SerialNumber");
	a->use.factor = id_new(KIND_SECOND_FACTOR);
	return key_seal(e->c, e->config->master_key, a->use.factor, secret, &a->use.secret);
}

static RESULT prepare_resync(struct iam_call *e, void *args)
{
	struct clock_args *a = args;
	const struct second_factor *f = NULL;
	struct str secret = STR_NONE;
	TRY(find_factor(e, &a->user, a->serial, &f));
	if (f->type != SECOND_FACTOR_TYPE_TOTP)
		return fail_code(e);
	TRY(key_open(e->c, e->config->master_key, f->row.id, f->secret, &secret));
	TRY(read_clock(e, a, secret, &a->clock.counter, &a->clock.drift));
	a->clock.factor = by_id(KIND_SECOND_FACTOR, f->row.id, a->serial, "SerialNumber");
	return OK;
}

static RESULT prepare_deactivate(struct iam_call *e, void *args)
{
	struct taken_factor *a = args;
	const struct second_factor *f = NULL;
	TRY(iam_choose_user(e, &a->user));
	TRY(find_factor(e, &a->user, a->serial, &f));
	a->wish.factor = by_id(KIND_SECOND_FACTOR, f->row.id, a->serial, "SerialNumber");
	return OK;
}

static RESULT prepare_delete(struct iam_call *e, void *args)
{
	struct gone_device *a = args;
	const struct mfa_device *device = NULL;
	TRY(find_device(e, a->serial, &device));
	a->wish.device = by_id(KIND_MFA_DEVICE, device->row.id, a->serial, "SerialNumber");
	return OK;
}

static RESULT prepare_tags(struct iam_call *e, void *args)
{
	struct tagged_device *a = args;
	const struct mfa_device *device = NULL;
	TRY(iam_check_tags(e, a->wish.tags, false));
	TRY(iam_check_tag_keys(e, a->wish.keys));
	TRY(find_device(e, a->serial, &device));
	a->wish.entity = by_id(KIND_MFA_DEVICE, device->row.id, a->serial, "SerialNumber");
	return OK;
}

/* ---- reads ---- */

static const struct param list_params[] = {IAM_USER(struct iam_read_args, user),
					   IAM_PAGES(struct iam_read_args, pages)};

static bool is_confirmed(const struct iam_list *l, const struct row *row)
{
	const struct second_factor *f = second_factor_of(row);
	return f->confirmed && iam_may_see_owned(l->e, user_find(iam_tables(l->e), f->user));
}

static RESULT write_factor(struct iam_call *e, struct xml *x, const struct row *row)
{
	const struct second_factor *f = second_factor_of(row);
	const struct user *user = user_find(iam_tables(e), f->user);
	xml_text(x, "UserName", user ? user->name : STR_NONE);
	xml_text(x, "SerialNumber", write_serial(e, f));
	iam_write_time(x, "EnableDate", row->created_us);
	return OK;
}

static const struct iam_listing factors = {
	.kind = KIND_SECOND_FACTOR,
	.paths = {{KIND_SECOND_FACTOR, SECOND_FACTOR_INDEX_USER}},
	.find_parent = iam_find_parent_user,
	.shows = is_confirmed,
	.shown = {"MFADevices", .write = write_factor},
};

struct device_args {
	struct ref user;
	struct str serial;
	struct iam_pages pages;
};
static const struct param get_params[] = {IAM_USER(struct device_args, user),
					  SERIAL(struct device_args, serial)};
static const struct param tags_params[] = {SERIAL(struct device_args, serial),
					   IAM_PAGES(struct device_args, pages)};

/* Shows a user's device. If the call names no user, the account's device of that serial number says whose it is. */
static RESULT get_device(struct iam_call *e, const void *args, struct xml *x)
{
	const struct device_args *a = args;
	const struct second_factor *f = NULL;
	const struct mfa_device *device = NULL;
	if (a->user.kind != KIND_NONE) {
		TRY(find_factor(e, &a->user, a->serial, &f));
		return write_factor(e, x, &f->row);
	}
	TRY(find_device(e, a->serial, &device));
	f = second_factor_find(iam_tables(e), device->second_factor);
	if (f)
		return write_factor(e, x, &f->row);
	xml_text(x, "SerialNumber", a->serial);
	return OK;
}

struct devices_args {
	struct str assignment;
	struct iam_pages pages;
};
static const struct param devices_params[] = {
	PARAM(struct devices_args, "AssignmentStatus", assignment, .words = "Assigned|Unassigned|Any",
	      .doc = "Whether the device is assigned to a user."),
	IAM_PAGES(struct devices_args, pages),
};

static bool is_asked(const struct iam_list *l, const struct row *row)
{
	const struct devices_args *a = l->args;
	bool is_assigned = !uuid_is_none(mfa_device_of(row)->second_factor);
	return str_is(a->assignment, "Assigned")     ? is_assigned
	       : str_is(a->assignment, "Unassigned") ? !is_assigned
						     : true;
}

static RESULT write_device(struct iam_call *e, struct xml *x, const struct row *row)
{
	const struct second_factor *f = second_factor_find(iam_tables(e), mfa_device_of(row)->second_factor);
	const struct user *user = f ? user_find(iam_tables(e), f->user) : NULL;
	xml_text(x, "SerialNumber", iam_arn(e, KIND_MFA_DEVICE, row));
	if (!user)
		return OK;
	iam_write_time(x, "EnableDate", f->row.created_us);
	xml_open(x, "User");
	iam_write_user(e, x, user, false);
	xml_close(x, "User");
	return OK;
}

static const struct iam_listing devices = {
	.kind = KIND_MFA_DEVICE,
	.order = "name",
	.paths = {{KIND_MFA_DEVICE, MFA_DEVICE_INDEX_ACCOUNT}},
	.shows = is_asked,
	.shown = {"VirtualMFADevices", .write = write_device},
};

static RESULT list_devices(struct iam_call *e, const void *args, struct xml *x)
{
	const struct devices_args *a = args;
	struct iam_list list = {e, &devices, .args = a};
	return iam_write_list(&list, &a->pages, x);
}

static RESULT list_tags(struct iam_call *e, const void *args, struct xml *x)
{
	const struct device_args *a = args;
	const struct mfa_device *device = NULL;
	TRY(find_device(e, a->serial, &device));
	return iam_list_tags(e, x, device->tags, &a->pages);
}

static const struct iam_action actions[] = {
	{IAM_ACTION("CreateVirtualMFADevice"), .flags = API_WRITES,
	 .args = PARAMS(struct new_device, create_params), .prepare = prepare_new,
	 .operation = engine_create_mfa_device_run, .returns = KIND_MFA_DEVICE, .answer = show_new,
	 .doc = "Creates a virtual MFA device. The seed is shown once."},
	{IAM_ACTION("EnableMFADevice"), .flags = API_WRITES, .args = PARAMS(struct clock_args, clock_params),
	 .prepare = prepare_enable, .operation = engine_enable_mfa_device_run,
	 .doc = "Assigns an MFA device to a user, who then needs its codes to sign in."},
	{IAM_ACTION("ResyncMFADevice"), .flags = API_WRITES, .args = PARAMS(struct clock_args, clock_params),
	 .prepare = prepare_resync, .operation = engine_resync_second_factor_run,
	 .doc = "Resynchronizes the clock of an MFA device."},
	{IAM_ACTION("DeactivateMFADevice"), .flags = API_WRITES,
	 .args = PARAMS(struct taken_factor, deactivate_params), .prepare = prepare_deactivate,
	 .operation = engine_delete_second_factor_run,
	 .doc = "Removes an MFA device from its user. The device stays."},
	{IAM_ACTION("DeleteVirtualMFADevice"), .flags = API_WRITES,
	 .args = PARAMS(struct gone_device, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_mfa_device_run, .doc = "Deletes a virtual MFA device that no user has."},
	{IAM_ACTION("GetMFADevice"), .args = PARAMS(struct device_args, get_params), .answer = get_device,
	 .doc = "Returns an MFA device and the time of its assignment."},
	{IAM_ACTION("ListMFADevices"), .args = PARAMS(struct iam_read_args, list_params),
	 .prepare = iam_prepare_user, .list = &factors, .answer = iam_answer_list,
	 .doc = "Lists the MFA devices of a user; without a name, those of the caller."},
	{IAM_ACTION("ListVirtualMFADevices"), .args = PARAMS(struct devices_args, devices_params),
	 .answer = list_devices, .doc = "Lists the account's virtual MFA devices."},
	{IAM_ACTION("TagMFADevice"), .flags = API_WRITES, .args = PARAMS(struct tagged_device, tag_params),
	 .prepare = prepare_tags, .operation = engine_tag_entity_run, .doc = "Sets tags on an MFA device."},
	{IAM_ACTION("UntagMFADevice"), .flags = API_WRITES,
	 .args = PARAMS(struct tagged_device, untag_params), .prepare = prepare_tags,
	 .operation = engine_untag_entity_run, .doc = "Removes tags from an MFA device."},
	{IAM_ACTION("ListMFADeviceTags"), .args = PARAMS(struct device_args, tags_params),
	 .answer = list_tags, .doc = "Lists the tags of an MFA device."},
};
const struct api_actions iam_mfa_actions = API_ACTIONS(actions);

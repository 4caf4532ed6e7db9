/* SPDX-License-Identifier: Apache-2.0
 * Access to bytes: time-limited URLs of disks and snapshots (beginGetAccess), and serial logs (boot
 * diagnostics). Sources: Azure REST API reference, "Disks - Grant Access", 2023-04-02, "Virtual Machines -
 * Retrieve Boot Diagnostics Data", 2022-08-01.
 */
#include "api/azure/compute/compute.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "drivers/compute.h"
#include "drivers/image/image_file.h"
#include "engine/resolve.h"
#include "engine/storage/disk_access.h"
#include "model/states.h"
#include "reconcile/reconcile.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/instance.h"
#include "store/snapshot.h"

#define DISK_BYTES "disks"
#define CONSOLE_TEXT "bootDiagnostics"
enum { CONSOLE_MAX_SIZE = 64 * 1024, CONSOLE_MINUTES = 120, CONSOLE_MINUTES_MAX = 1440 };

/* ---- granted and taken back ---- */

struct grant_args {
	struct disk_access_wish wish; /* first member: passed to the operation */
	struct str access;
	int64_t duration_s;
};
static const struct param grant_rows[] = {
	PARAM(struct grant_args, "access", access, .flags = REQUIRED, .words = "Read",
	      .doc = "Access level; only Read."),
	PARAM(struct grant_args, "durationInSeconds", duration_s, .flags = REQUIRED, .min = 1,
	      .max = DISK_ACCESS_S_MAX, .doc = "Lifetime of the access in seconds."),
	NOT_BUILT("getSecureVMGuestStateSAS", .only = "false"),
	NOT_BUILT("fileFormat", .only = "VHD"),
};

static RESULT prepare_grant(struct az_call *e, void *args)
{
	struct grant_args *a = args;
	const json_t *said = az_said(e, e->target);
	struct str network = str_from(json_string_value(json_object_get(said, AZ_NETWORK_ACCESS)));
	struct str is_public = str_from(json_string_value(json_object_get(said, AZ_PUBLIC_ACCESS)));
	if (str_equal_nocase(network, STR("DenyAll")) || str_equal_nocase(is_public, STR("Disabled")))
		return ctx_fail(
			e->c, ERR_STATE,
			"Access to the bytes of '%" STR_FMT
			"' is not allowed: its networkAccessPolicy is DenyAll, or its publicNetworkAccess "
			"Disabled.",
			STR_ARG(az_path_name(e, az_action_of(e)->names)));
	a->wish.disk = az_target_ref(e);
	a->wish.duration_s = a->duration_s;
	return OK;
}

void az_write_access(struct az_call *e, struct json_writer *w, const struct image *image)
{
	json_write_text(w, "accessSAS",
			az_sign_address(e, DISK_BYTES, image->row.id, engine_get_disk_access_end(image)));
}

/* ---- a disk's bytes ---- */

/* Opens the disk's data. An ended access fails like a URL that was never signed. */
static RESULT open_disk(struct az_call *e, void *args)
{
	const char *directory = reconciler_image_directory(e->config->reconciler);
	struct stat st;
	uuid id = UUID_NONE;
	(void) args;
	TRY(az_check_address(e, DISK_BYTES, &id));
	const struct image *image = image_find(az_tables(e), id);
	bool is_there =
		image && row_is_live(&image->row) && engine_get_disk_access_end(image) > clock_now_us();
	if (!is_there || !directory || !image->data_sha256.n) {
		e->error = &az_bad_signature;
		return ctx_fail(e->c, ERR_UNAUTHENTICATED, "The access to the disk has ended.");
	}
	struct str path = image_file_data_path(e->c->arena, directory, image->data_sha256);
	AUTO_FD fd = open(path.p, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return ctx_fail(e->c, ERR_GONE, "The bytes of the disk cannot be read.");
	call_set_answer_header(e->call, "x-ms-blob-type", STR("PageBlob"));
	e->file = fd;
	e->file_size = st.st_size;
	fd = -1;
	return OK;
}

/* ---- what a serial port wrote ---- */

/* ?sasUriExpirationTimeInMinutes= */
static RESULT show_addresses(struct az_call *e, const void *args, struct json_writer *w)
{
	static const char name[] = "sasUriExpirationTimeInMinutes";
	struct str text = az_query_value(e, name);
	int64_t minutes = CONSOLE_MINUTES;
	(void) args;
	if (text.n &&
	    (!result_is_ok(str_parse_int(text, &minutes)) || minutes < 1 || minutes > CONSOLE_MINUTES_MAX))
		return az_fail(e, name, "The value of parameter %s is invalid. It must be 1 to %d.", name,
			       CONSOLE_MINUTES_MAX);
	json_write_text(w, "serialConsoleLogBlobUri",
			az_sign_address(e, CONSOLE_TEXT, e->target, clock_now_us() + minutes * MINUTE));
	return OK;
}

struct console_args {
	uuid id;
	struct str text;
	int64_t at_us;
};

/* Prepares reading the log. A machine without a host has written nothing. */
static RESULT prepare_console(struct az_call *e, void *args)
{
	struct console_args *a = args;
	TRY(az_check_address(e, CONSOLE_TEXT, &a->id));
	const struct instance *i = instance_find(az_tables(e), a->id);
	if (!i || model_derive_instance_state(i) == INSTANCE_TERMINATED)
		return ctx_fail(e->c, ERR_NOT_FOUND, "The specified resource does not exist.");
	if (i->seen_power != INSTANCE_SEEN_POWER_ABSENT)
		e->host = i->host;
	return OK;
}

/* Runs on the host's thread. */
static RESULT look_at_console(struct observation *o, const struct compute_driver *driver,
			      struct compute_host *h)
{
	struct console_args *a = o->arg;
	return driver->read_console(h, o->ctx, a->id, CONSOLE_MAX_SIZE, &a->text, &a->at_us);
}

static RESULT show_console(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct console_args *a = args;
	e->content_type = "text/plain; charset=utf-8";
	buf_add_str(w->out, a->text);
	return OK;
}

#define VM AZ_GROUP AZ_COMPUTE "/virtualMachines/{vmName}"
#define GRANT(of, word, variable, of_type, of_kind)                                                          \
	{                                                                                                    \
		HTTP_POST, AZ_GROUP AZ_COMPUTE of "/beginGetAccess",                                         \
			.name = word "_GrantAccess", .permit = "ec2:GrantDiskAccess", .flags = API_WRITES,   \
			.type = (of_type), .kind = (of_kind), .names = (variable),                           \
			.subject_kind = KIND_IMAGE,                                                          \
			.args = PARAMS(struct grant_args, grant_rows, .object = "GrantAccessData"),          \
			.prepare = prepare_grant, .operation = engine_grant_disk_access_run,                 \
			.returns = API_RETURNS_NOTHING_STORED, .outcome = ASYNC_JOB_OUTCOME_MADE,            \
			AZ_SUBJECT(struct grant_args, wish.image),                                           \
			.doc = "Grants read access to the data by a URL, for a limited time."                \
	}
#define REVOKE(of, word, variable, of_type, of_kind)                                                         \
	{                                                                                                    \
		HTTP_POST, AZ_GROUP AZ_COMPUTE of "/endGetAccess",                                           \
			.name = word "_RevokeAccess", .permit = "ec2:RevokeDiskAccess", .flags = API_WRITES, \
			.type = (of_type), .kind = (of_kind), .names = (variable),                           \
			.args = {0, 0, sizeof(struct disk_access_target)},                                   \
			AZ_TARGET(struct disk_access_target, disk),                                          \
			.operation = engine_revoke_disk_access_run, .returns = API_RETURNS_NOTHING_STORED,   \
			.doc = "Revokes the access."                                                         \
	}
#define DISK_CALL(call) call("/disks/{diskName}", "Disks", "diskName", AZ_DISKS, KIND_VOLUME)
#define SNAPSHOT_CALL(call)                                                                                  \
	call("/snapshots/{snapshotName}", "Snapshots", "snapshotName", AZ_SNAPSHOTS, KIND_SNAPSHOT)
static const struct az_action actions[] = {
	DISK_CALL(GRANT),
	DISK_CALL(REVOKE),
	SNAPSHOT_CALL(GRANT),
	SNAPSHOT_CALL(REVOKE),
	{HTTP_POST, VM "/retrieveBootDiagnosticsData", .name = "VirtualMachines_RetrieveBootDiagnosticsData",
	 .permit = "ec2:GetConsoleOutput", .flags = API_CHANGES_BY_TIME, .type = AZ_MACHINES,
	 .kind = KIND_INSTANCE, .names = "vmName", .answer = show_addresses,
	 .query = "sasUriExpirationTimeInMinutes", .doc = "Returns the URL of the serial console log."},
	{HTTP_GET, "/azure/" DISK_BYTES "/{id}", .name = "DiskBytes", .permit = "ec2:GrantDiskAccess",
	 .flags = API_OPEN | API_FOR_ALL | AZ_SIGNED, .prepare = open_disk,
	 .doc = "Returns the data that a URL grants access to."},
	{HTTP_GET, "/azure/" CONSOLE_TEXT "/{id}", .name = "BootDiagnostics",
	 .permit = "ec2:GetConsoleOutput",
	 .flags = API_OPEN | API_FOR_ALL | API_OBSERVES | AZ_SIGNED | AZ_IN_PLACE,
	 .args = {0, 0, sizeof(struct console_args)}, .prepare = prepare_console, .look = look_at_console,
	 .answer = show_console, .doc = "Returns the serial console log that a URL grants access to."},
};
const struct api_actions az_access_actions = API_ACTIONS(actions);

/* SPDX-License-Identifier: Apache-2.0
 * Reads disks of machines of vCenter and ESXi, for migrations. A round is a snapshot of the machine, without its memory. Its
 * disks are exported by a lease (HttpNfcLease), as VMDKs that are compressed for a stream. A server that exports nothing gives
 * the files of the datastore (datastore.c). Source: vSphere Web Services API reference 8.0, VirtualMachineSnapshot and
 * HttpNfcLease. */
#include "drivers/remote/vmware/source.h"

#include <inttypes.h>

#include "base/clock.h"
#include "drivers/remote/draft.h"
#include "drivers/remote/machine_size.h"
#include "drivers/remote/task_notes.h"
#include "drivers/remote/vmware/acts.h"

/* Verbs of task notes besides enum remote_machine_act. */
enum { NOTE_FREEZE = 100, NOTE_THAW = 101 };
enum { LEASE_WAIT_S = 60, LEASE_LOOK_MS = 200, PROGRESS_S = 30, DEVICES_MAX = 256, PERCENT_SAID = 50 };
#define SNAPSHOT_PREFIX "dari-in-"
#define KIB INT64_C(1024)

/* Work of a call in a session. */
struct source_work {
	struct str ref;
	struct remote_layout *layout;
	const struct remote_round *round;
	struct remote_points *points;
	struct str point;
	struct remote_download *download;
};

static RESULT ignore_begin(void *self, struct str type, struct str ref)
{
	(void) self, (void) type, (void) ref;
	return OK;
}

static RESULT ignore_end(void *self)
{
	(void) self;
	return OK;
}

/* ---- snapshots ---- */

static struct str name_of(struct ctx *c, const struct remote_round *round)
{
	char id[UUID_TEXT_SIZE];
	return str_print(c->arena, SNAPSHOT_PREFIX "%s-%" PRId64, uuid_write(round->migration, id),
			 round->round);
}

/* False: the snapshot belongs to another round, or to somebody else. */
static bool read_name(struct str name, const struct remote_round *round, int64_t *ret_round)
{
	char id[UUID_TEXT_SIZE];
	struct str mine = str_from(uuid_write(round->migration, id));
	size_t start = sizeof SNAPSHOT_PREFIX - 1, end = start + mine.n;
	return str_starts_with(name, STR(SNAPSHOT_PREFIX)) && name.n > end + 1 && name.p[end] == '-' &&
	       str_equal(str_slice(name, start, end), mine) &&
	       result_is_ok(str_parse_int(str_slice(name, end + 1, name.n), ret_round)) &&
	       (!round->round || *ret_round == round->round);
}

struct finding {
	struct ctx *c;
	struct remote *remote;
	const struct remote_round *round;
	struct remote_points *points;
	struct str snapshot;
};

/* A snapshot's id comes before its name, and its children come behind it. */
static RESULT take_snapshot(void *self, struct str property, struct str below, struct str text)
{
	struct finding *f = self;
	struct remote_point point = {.is_complete = true, .is_of_all = true};
	if (!str_is(property, "snapshot") || !str_starts_with(below, STR("rootSnapshotList")))
		return OK;
	if (str_ends_with(below, STR("/snapshot")))
		f->snapshot = str_copy(f->c->arena, str_cut(text, TASK_REF_MAX));
	if (!str_ends_with(below, STR("/name")) || !read_name(text, f->round, &point.round) ||
	    !draft_is_id(f->snapshot))
		return OK;
	if (f->points->count == REMOTE_POINTS_MAX)
		return remote_fail_answer(f->c, "it has too many snapshots");
	point.id = f->snapshot;
	point.waits =
		task_notes_find(remote_task_notes(f->remote), point.id, NOTE_THAW, 0, clock_now_us()) != NULL;
	f->points->at[f->points->count++] = point;
	return OK;
}

static RESULT work_find(struct ctx *c, struct remote *r, void *arg)
{
	static const char *const properties[] = {"snapshot", NULL};
	const struct source_work *w = arg;
	struct finding f = {c, r, w->round, w->points, STR_NONE};
	w->points->count = 0;
	return vmware_get_object(c, r, &(struct vmware_get){"VirtualMachine", w->round->ref, properties},
				 &(struct vmware_visitor){&f, ignore_begin, NULL, take_snapshot, ignore_end});
}

/* A machine that is gone has no snapshots. */
static RESULT find(struct ctx *c, struct remote *r, const struct remote_round *round,
		   struct remote_points *ret_points)
{
	struct source_work w = {.round = round, .points = ret_points};
	*ret_points =
		(struct remote_points){arena_new_array(c->arena, struct remote_point, REMOTE_POINTS_MAX), 0};
	if (!ret_points->at)
		return ctx_no_memory(c);
	struct result result = vmware_run(c, r, work_find, &w);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(c);
	ret_points->count = 0;
	return OK;
}

/* Follows the noted task. *ret_is_over: there is none that is under way. */
static RESULT follow(struct ctx *c, struct remote *r, struct str ref, int verb, bool *ret_is_over)
{
	struct task_notes *notes = remote_task_notes(r);
	const struct task_note *note = task_notes_find(notes, ref, verb, 0, clock_now_us());
	struct vmware_task outcome;
	*ret_is_over = true;
	if (!note)
		return OK;
	struct result result = vmware_follow(c, r, str_copy(c->arena, str_from(note->task)), &outcome);
	*ret_is_over = result.code != ERR_AGAIN || outcome.fault.name.n;
	if (*ret_is_over)
		task_notes_drop(notes, ref);
	if (result.code != ERR_AGAIN && result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(c); /* it goes on, or it is forgotten there */
	return OK;
}

static RESULT start(struct vmware_call *q, struct remote *r, struct str ref, int verb)
{
	struct str task = STR_NONE;
	TRY(vmware_ask_id(q, r, &task));
	if (task.n)
		(void) task_notes_put(remote_task_notes(r), ref, verb, task, clock_now_us());
	return OK;
}

/* Without asking the guest to be quiet: that fails where VMware Tools do not run. The snapshot shows when its task is over. */
static RESULT work_freeze(struct ctx *c, struct remote *r, void *arg)
{
	const struct source_work *w = arg;
	struct vmware_call q;
	bool is_over = false;
	struct str note =
		str_print(c->arena, "%" STR_FMT " %" STR_FMT, STR_ARG(w->ref), STR_ARG(name_of(c, w->round)));
	bool was_noted = task_notes_find(remote_task_notes(r), note, NOTE_FREEZE, 0, clock_now_us()) != NULL;
	TRY(follow(c, r, note, NOTE_FREEZE, &is_over));
	if (!is_over || was_noted)
		return OK;
	vmware_begin(&q, c, "CreateSnapshot_Task", "VirtualMachine", w->ref);
	vmware_text(&q, "name", name_of(c, w->round));
	vmware_text(&q, "description", STR("Of a migration; it is removed at its end."));
	vmware_text(&q, "memory", STR("false"));
	vmware_text(&q, "quiesce", STR("false"));
	return start(&q, r, note, NOTE_FREEZE);
}

static RESULT freeze(struct ctx *c, struct remote *r, const struct remote_freezing *wish)
{
	struct source_work w = {.ref = wish->round.ref, .round = &wish->round};
	return vmware_run(c, r, work_freeze, &w);
}

static RESULT work_thaw(struct ctx *c, struct remote *r, void *arg)
{
	const struct source_work *w = arg;
	struct vmware_call q;
	bool is_over = false;
	TRY(follow(c, r, w->point, NOTE_THAW, &is_over));
	if (!is_over)
		return OK;
	vmware_begin(&q, c, "RemoveSnapshot_Task", "VirtualMachineSnapshot", w->point);
	vmware_text(&q, "removeChildren", STR("false"));
	return start(&q, r, w->point, NOTE_THAW);
}

static RESULT thaw(struct ctx *c, struct remote *r, struct str point)
{
	struct source_work w = {.point = point};
	struct result result = vmware_run(c, r, work_thaw, &w);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(c);
	return OK;
}

/* ---- the machine ---- */

/* A device of the machine's hardware. */
struct device {
	struct str type, backing, key, label, mode, sharing, disk_key;
	int64_t size;
};

struct describing {
	struct ctx *c;
	struct remote_layout *layout;
	struct device device;
	struct str refusals[REMOTE_OBSTACLES_MAX], warnings[REMOTE_OBSTACLES_MAX];
	size_t refusal_count, warning_count;
	struct str guest;
	bool has_snapshot;
};

static void refuse(struct describing *d, const char *format, struct str what)
{
	if (d->refusal_count < REMOTE_OBSTACLES_MAX)
		d->refusals[d->refusal_count++] = str_print(d->c->arena, format, STR_ARG(what));
}

static void warn(struct describing *d, struct str text)
{
	if (d->warning_count < REMOTE_OBSTACLES_MAX)
		d->warnings[d->warning_count++] = text;
}

static bool is_interface(struct str type)
{
	static const char *const words[] = {"Vmxnet", "E1000", "PCNet32", "EthernetCard"};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (str_contains(type, str_from(words[k])))
			return true;
	return false;
}

/* Refuses devices that no snapshot covers, or whose state is not on the disks. */
static void judge_device(struct describing *d)
{
	const struct device *v = &d->device;
	struct str label = v->label.n ? v->label : v->key;
	if (str_contains(v->type, STR("PCIPassthrough")) || str_contains(v->type, STR("SriovEthernetCard")))
		refuse(d,
		       "device %" STR_FMT
		       ": a device of the host is passed through, which the instance would lack. Remove it.",
		       label);
	if (str_is(v->type, "VirtualTPM"))
		refuse(d,
		       "device %" STR_FMT
		       ": the state of the virtual TPM does not move. Suspend what is sealed to it, such as "
		       "BitLocker, and remove it.",
		       label);
	if (str_contains(v->type, STR("USB")) && v->backing.n)
		refuse(d, "device %" STR_FMT ": a USB device is connected. Remove it.", label);
	if (is_interface(v->type))
		d->layout->machine.nics++;
}

static void take_disk(struct describing *d)
{
	struct device *v = &d->device;
	struct remote_layout *layout = d->layout;
	struct str label = v->label.n ? v->label : v->key;
	if (str_contains(v->backing, STR("RawDisk")))
		refuse(d,
		       "disk %" STR_FMT
		       ": it is a raw device of the storage (RDM), which no export covers. Convert it to a "
		       "virtual disk.",
		       label);
	if (str_starts_with(v->mode, STR("independent")))
		refuse(d,
		       "disk %" STR_FMT ": it is independent, so no snapshot covers it. Make it dependent.",
		       label);
	if (layout->disk_count == REMOTE_DISKS_MAX) {
		refuse(d, "disks: the machine has more than %" STR_FMT ".", STR("26 disks"));
		return;
	}
	struct cloud_migration_disk *disk = &layout->disks[layout->disk_count];
	*disk = (struct cloud_migration_disk){.number = (int64_t) layout->disk_count,
					      .volume = v->key,
					      .size = v->size,
					      .goes_along = true,
					      .is_encrypted = v->disk_key.n > 0,
					      .is_shared = str_is(v->sharing, "sharingMultiWriter")};
	disk->device = str_print(d->c->arena, "/dev/sd%c", (int) ('a' + layout->disk_count));
	layout->disk_count++;
}

static RESULT enter_device(void *self, struct str property, struct str below, struct str xsi_type)
{
	struct describing *d = self;
	if (!str_is(property, "config.hardware.device"))
		return OK;
	if (str_is(below, "VirtualDevice"))
		d->device = (struct device){.type = str_copy(d->c->arena, str_cut(xsi_type, DRAFT_WORD_MAX))};
	else if (str_is(below, "VirtualDevice/backing"))
		d->device.backing = str_copy(d->c->arena, str_cut(xsi_type, DRAFT_WORD_MAX));
	return OK;
}

static RESULT take_device(struct describing *d, struct str below, struct str text)
{
	struct device *v = &d->device;
	int64_t number = 0;
	const struct {
		const char *path;
		struct str *field;
	} fields[] = {{"key", &v->key},
		      {"deviceInfo/label", &v->label},
		      {"backing/diskMode", &v->mode},
		      {"backing/sharing", &v->sharing},
		      {"backing/keyId/keyId", &v->disk_key}};
	for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++)
		if (str_is(below, fields[k].path))
			draft_put_text(fields[k].field, str_copy(d->c->arena, str_cut(text, DRAFT_ID_MAX)),
				       DRAFT_ID_MAX);
	if (str_is(below, "capacityInBytes") && result_is_ok(str_parse_int(text, &number)) && number > 0)
		v->size = number;
	if (str_is(below, "capacityInKB") && result_is_ok(str_parse_int(text, &number)) && number > 0 &&
	    !v->size && number < INT64_MAX / KIB)
		v->size = number * KIB;
	return OK;
}

/* Properties that keep the machine from being moved, unless they have the harmless value. NULL: any value does. */
static const struct {
	const char *property, *bad, *fine;
	const char *says;
} hindrances[] = {
	{"config.keyId", NULL, NULL, "encryption: the machine is encrypted%" STR_FMT ". Decrypt it."},
	{"config.template", "true", NULL, "template: a template is no machine%" STR_FMT ". Clone it."},
	{"runtime.consolidationNeeded", "true", NULL,
	 "snapshots: the disks need consolidation%" STR_FMT ". Consolidate them."},
	{"runtime.faultToleranceState", NULL, "notConfigured",
	 "fault_tolerance: it is %" STR_FMT ", and such a machine has no snapshots. Turn it off."},
	{"config.bootOptions.efiSecureBootEnabled", "true", NULL,
	 "secure_boot: UEFI variables do not move%" STR_FMT
	 ", and without them the boot loader would not be trusted. Turn secure boot off."},
	{"runtime.powerState", "suspended", NULL,
	 "state: the machine is %" STR_FMT ", and its memory does not move. Resume it, or power it off."},
};

static void judge_property(struct describing *d, struct str property, struct str text)
{
	for (size_t k = 0; k < sizeof hindrances / sizeof hindrances[0]; k++) {
		const char *bad = hindrances[k].bad, *fine = hindrances[k].fine;
		bool is_in_the_way = str_is(property, hindrances[k].property) &&
				     (!bad || str_is(text, bad)) && !(fine && str_is(text, fine));
		if (is_in_the_way) /* values of true and keys say nothing to people */
			refuse(d, hindrances[k].says, fine || str_is(text, "suspended") ? text : STR_NONE);
	}
}

static void take_number(struct str text, int64_t most, int64_t *ret_number)
{
	int64_t number = 0;
	if (result_is_ok(str_parse_int(text, &number)) && number > 0 && number <= most)
		*ret_number = number;
}

static void take_config(struct describing *d, struct str property, struct str text)
{
	struct cloud_migration *m = &d->layout->machine;
	int64_t mib = m->memory >> 20;
	if (str_is(property, "name"))
		draft_put_text(&m->name, str_copy(d->c->arena, text), DRAFT_ID_MAX);
	else if (str_is(property, "config.hardware.numCPU"))
		take_number(text, MACHINE_VCPUS_MAX, &m->vcpus);
	else if (str_is(property, "config.hardware.memoryMB"))
		take_number(text, MACHINE_MIB_MAX, &mib);
	else if (str_is(property, "config.firmware") && str_is(text, "efi"))
		m->boot_mode = STR("uefi");
	else if (str_is(property, "config.guestId"))
		d->guest = str_copy(d->c->arena, str_cut(text, DRAFT_WORD_MAX));
	else if (str_is(property, "guest.ipAddress"))
		draft_put_text(&m->source_ip, str_copy(d->c->arena, text), DRAFT_WORD_MAX);
	else
		judge_property(d, property, text);
	m->memory = mib << 20;
}

static RESULT take_value(void *self, struct str property, struct str below, struct str text)
{
	struct describing *d = self;
	struct str inside = STR("VirtualDevice/");
	if (str_is(property, "snapshot"))
		d->has_snapshot = true;
	if (!str_is(property, "config.hardware.device")) {
		if (!below.n)
			take_config(d, property, text);
		else if (str_is(property, "config.keyId") && str_is(below, "keyId"))
			take_config(d, property, text);
		return OK;
	}
	if (str_starts_with(below, inside))
		return take_device(d, str_slice(below, inside.n, below.n), text);
	if (!str_is(below, "VirtualDevice"))
		return OK;
	judge_device(d);
	if (str_is(d->device.type, "VirtualDisk"))
		take_disk(d);
	return OK;
}

static const char *const machine_properties[] = {"name",
						 "config.hardware.device",
						 "config.hardware.numCPU",
						 "config.hardware.memoryMB",
						 "config.firmware",
						 "config.guestId",
						 "config.template",
						 "config.bootOptions.efiSecureBootEnabled",
						 "config.keyId",
						 "guest.ipAddress",
						 "runtime.consolidationNeeded",
						 "runtime.faultToleranceState",
						 "runtime.powerState",
						 "snapshot",
						 NULL};

/* Keeps the lists, which are the arena's. */
static RESULT keep(struct ctx *c, const struct str *from, size_t count, struct strs *ret_texts)
{
	struct str *at = arena_new_array(c->arena, struct str, count + 1);
	if (!at)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++)
		at[k] = from[k];
	*ret_texts = (struct strs){at, count};
	return OK;
}

static void judge_guest(struct describing *d)
{
	struct cloud_migration *m = &d->layout->machine;
	m->arch = str_starts_with(d->guest, STR("arm")) || str_contains(d->guest, STR("Arm")) ? STR("arm64")
											      : STR("x86_64");
	m->lacks_virtio = true; /* nothing tells which drivers the guest's initial file system has */
	warn(d,
	     STR("guest: names of disks and interfaces change in the guest. VMware Tools stay installed."));
	if (d->has_snapshot)
		warn(d, STR("snapshots: the machine's present state moves. Its snapshots stay."));
}

static RESULT work_describe(struct ctx *c, struct remote *r, void *arg)
{
	const struct source_work *w = arg;
	struct describing *d = arena_new_object(c->arena, struct describing);
	if (!d)
		return ctx_no_memory(c);
	*d = (struct describing){.c = c, .layout = w->layout};
	*w->layout = (struct remote_layout){.machine = {.ref = w->ref, .copies_whole = true}};
	TRY(vmware_get_object(
		c, r, &(struct vmware_get){"VirtualMachine", w->ref, machine_properties},
		&(struct vmware_visitor){d, ignore_begin, enter_device, take_value, ignore_end}));
	struct cloud_migration *m = &w->layout->machine;
	for (size_t k = 0; k < w->layout->disk_count; k++)
		if (!w->layout->disks[k].size || !draft_is_id(w->layout->disks[k].volume))
			return remote_fail_answer(c, "a disk has no size or no key");
	if (!m->vcpus || !m->memory)
		return remote_fail_answer(c, "it does not say how large the machine is");
	m->source_type = machine_size_write(c, m->vcpus, m->memory >> 20);
	m->root_device = w->layout->disk_count ? w->layout->disks[0].device : STR_NONE;
	if (!m->name.n)
		m->name = w->ref;
	judge_guest(d);
	TRY(keep(c, d->refusals, d->refusal_count, &m->source_refusals));
	return keep(c, d->warnings, d->warning_count, &m->source_warnings);
}

static RESULT describe(struct ctx *c, struct remote *r, struct str ref, struct remote_layout *ret_layout)
{
	static const char *const needed[] = {
		"VirtualMachine.State.CreateSnapshot", "VirtualMachine.State.RemoveSnapshot",
		"VirtualMachine.Interact.PowerOn", "VirtualMachine.Interact.PowerOff", "VApp.Export"};
	struct remote_identity identity = {0};
	struct source_work w = {.ref = ref, .layout = ret_layout};
	TRY(vmware_run(c, r, work_describe, &w));
	TRY(vmware_judge_rights(c, r, ref, needed, sizeof needed / sizeof needed[0], &identity));
	ret_layout->lacks = identity.lacks;
	return OK;
}

/* ---- leases ---- */

struct lease {
	struct ctx *c;
	struct str id;
	struct str url;              /* URL of the wanted disk; empty: not seen yet */
	int64_t wanted_place, place; /* among the machine's disks */
	struct str url_now;
	bool is_disk, is_ready, has_failed;
	struct str why;
	const struct remote_download *download;
	/* progress is reported over a connection of its own, while the first one is busy */
	struct remote aside;
	struct arena *arena;
	int64_t said_us;
};

/* Files that are no disks, such as NVRAM, are in the list, too. */
static RESULT take_lease(void *self, struct str property, struct str below, struct str text)
{
	struct lease *l = self;
	if (str_is(property, "state") && !below.n) {
		l->is_ready = str_is(text, "ready");
		l->has_failed = str_is(text, "error") || str_is(text, "done");
	}
	if (str_is(property, "error") && str_is(below, "localizedMessage"))
		l->why = str_copy(l->c->arena, str_cut(text, REMOTE_ACCOUNT_MAX));
	if (!str_is(property, "info"))
		return OK;
	if (str_is(below, "deviceUrl/url"))
		l->url_now = str_copy(l->c->arena, str_cut(text, REMOTE_URL_MAX));
	if (str_is(below, "deviceUrl/disk"))
		l->is_disk = str_is(text, "true");
	if (!str_is(below, "deviceUrl"))
		return OK;
	bool is_vmdk = l->is_disk || str_ends_with(l->url_now, STR(".vmdk"));
	if (is_vmdk && l->place++ == l->wanted_place)
		l->url = l->url_now;
	l->url_now = STR_NONE;
	l->is_disk = false;
	return OK;
}

static RESULT look_at_lease(struct ctx *c, struct remote *r, struct lease *l)
{
	static const char *const properties[] = {"state", "info", "error", NULL};
	l->place = 0;
	l->url = STR_NONE;
	return vmware_get_object(c, r, &(struct vmware_get){"HttpNfcLease", l->id, properties},
				 &(struct vmware_visitor){l, ignore_begin, NULL, take_lease, ignore_end});
}

/* Preparing a lease takes the server some seconds. */
static RESULT wait_for_lease(struct ctx *c, struct remote *r, struct lease *l)
{
	int64_t until_us = clock_now_us() + LEASE_WAIT_S * SECOND;
	for (;;) {
		TRY(look_at_lease(c, r, l));
		if (l->has_failed)
			return ctx_fail(c, ERR_AGAIN, "The export of the snapshot failed there: %" STR_FMT,
					STR_ARG(l->why));
		if (l->is_ready && l->url.n)
			return OK;
		if (clock_now_us() >= until_us || !l->download->goes_on(l->download->arg))
			return ctx_fail(c, ERR_AGAIN, "The export of the snapshot does not get ready.");
		clock_sleep_us(LEASE_LOOK_MS * MILLISECOND);
	}
}

static void end_lease(struct ctx *c, struct remote *r, struct str id, bool is_done)
{
	struct vmware_call q;
	AUTO_VIM_ANSWER answer = {0};
	struct problem kept = c->problem;
	vmware_begin(&q, c, is_done ? "HttpNfcLeaseComplete" : "HttpNfcLeaseAbort", "HttpNfcLease", id);
	IGNORE(vmware_send(&q, r, &answer)); /* the server ends a lease that nobody keeps alive */
	c->problem = kept;
}

/* A lease that is silent for five minutes ends. A failure shows in the transfer. */
static void keep_alive(struct lease *l)
{
	struct ctx own;
	struct vmware_call q;
	AUTO_VIM_ANSWER answer = {0};
	l->said_us = clock_now_us();
	arena_reset(l->arena);
	ctx_init(&own, l->arena);
	vmware_begin(&q, &own, "HttpNfcLeaseProgress", "HttpNfcLease", l->id);
	xml_int(&q.xml, "percent", PERCENT_SAID);
	IGNORE(vmware_send(&q, &l->aside, &answer));
}

static bool goes_on(void *arg)
{
	struct lease *l = arg;
	if (clock_now_us() >= l->said_us + PROGRESS_S * SECOND)
		keep_alive(l);
	return l->download->goes_on(l->download->arg);
}

static RESULT add(void *arg, struct ctx *c, struct str bytes)
{
	const struct lease *l = arg;
	return l->download->add(l->download->arg, c, bytes);
}

/* "*" stands for the host that the client has connected to. */
static RESULT url_of(struct ctx *c, const struct remote *r, struct str url, struct str *ret_url)
{
	struct remote_url own;
	struct str star = STR("://*"), rest = url;
	size_t at = str_find_char(url, ':', 0);
	*ret_url = url;
	if (!str_starts_with(str_slice(url, at, url.n), star))
		return OK;
	TRY(remote_parse_url(c, r->endpoint, &own));
	rest = str_slice(url, at + star.n, url.n);
	*ret_url =
		str_print(c->arena, "%" STR_FMT "://%" STR_FMT "%" STR_FMT, STR_ARG(str_slice(url, 0, at)),
			  STR_ARG(own.host), STR_ARG(str_slice(rest, str_find_char(rest, '/', 0), rest.n)));
	return OK;
}

static RESULT read_lease(struct ctx *c, struct remote *r, struct lease *l)
{
	const struct remote_body_taker taker = {add, goes_on, l};
	struct remote_answer http = {0};
	struct remote_request request = {.method = "GET", .taker = &taker, .headers = {"Accept: */*"}};
	TRY(url_of(c, r, l->url, &request.url));
	request.headers[1] = str_to_z(c->arena, str_print(c->arena, "Cookie: vmware_soap_session=%s",
							  remote_session_peek(r)->token));
	struct result result = remote_send(c, r, &request, &http);
	buf_done(&http.body);
	TRY(result);
	return http.status == 200
		       ? OK
		       : ctx_fail(c, ERR_AGAIN, "The host answers the export with status %d.", http.status);
}

enum { ASIDE_ARENA_FIRST = 16 * 1024, ASIDE_ARENA_CAP = 1 << 20 };

static RESULT work_fetch(struct ctx *c, struct remote *r, void *arg)
{
	const struct source_work *w = arg;
	struct vmware_call q;
	AUTO(remote_connection) connection = remote_connection_new();
	AUTO(arena) arena = arena_new(ASIDE_ARENA_FIRST, ASIDE_ARENA_CAP);
	struct lease l = {.c = c,
			  .wanted_place = w->download->number,
			  .download = w->download,
			  .aside = *r,
			  .arena = arena,
			  .said_us = clock_now_us()};
	if (!connection || !arena)
		return ctx_no_memory(c);
	l.aside.connection = connection;
	*remote_session_peek(&l.aside) = *remote_session_peek(r);
	vmware_begin(&q, c, "ExportSnapshot", "VirtualMachineSnapshot", w->download->point);
	struct result result = vmware_ask_id(&q, r, &l.id);
	if (result.code == ERR_UNSUPPORTED) {
		ctx_clear_problem(c);
		return vmware_read_datastore(c, r, w->download);
	}
	TRY(result);
	if (!l.id.n) /* the id has brackets */
		return remote_fail_answer(c, "it has no lease");
	result = wait_for_lease(c, r, &l);
	if (result_is_ok(result))
		result = read_lease(c, r, &l);
	end_lease(c, r, l.id, result_is_ok(result));
	return result;
}

static RESULT fetch(struct ctx *c, struct remote *r, struct remote_download *download)
{
	struct source_work w = {.download = download};
	download->format = STR("vmdk");
	return vmware_run(c, r, work_fetch, &w);
}

static const struct remote_point_ops point_ops = {.find = find, .thaw = thaw};

const struct remote_source_ops vmware_source_ops = {
	.points = &point_ops, .describe = describe, .freeze = freeze, .fetch = fetch};

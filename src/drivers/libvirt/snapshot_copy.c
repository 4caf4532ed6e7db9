/* SPDX-License-Identifier: Apache-2.0
 * Cuts: a volume's content at one moment as a self-contained file, or the blocks written since another cut
 * (dirty_bitmap.c). If a running guest has the volume, QEMU copies it while the guest continues (a backup job in
 * push mode). Otherwise the file is copied at rest, and QEMU's lock on it prevents a guest from starting on
 * it meanwhile.
 *
 * A cut's file is complete when the copy call has returned, or when a job that this connection saw running
 * has ended successfully; the caller then records this and stops asking. Any other file of that name may be
 * half written, after a crash of any party, and is created again. Its content is then from a later moment,
 * still a single one after the call that requested it. A domain runs one job at a time, and the next job
 * begins only after the previous end was evaluated, so a job end reported by libvirt always belongs to the
 * job expected here. */
#include <inttypes.h>

#include "base/heap.h"
#include "base/log.h"
#include "drivers/libvirt/host.h"

/* ---- what jobs are known here */

static struct cut_job *find_job(struct disk_host *h, uuid snapshot)
{
	for (size_t k = 0; k < h->job_count; k++)
		if (uuid_equal(h->jobs[k].snapshot, snapshot))
			return &h->jobs[k];
	return NULL;
}

static bool domain_has_job(const struct disk_host *h, uuid domain)
{
	for (size_t k = 0; k < h->job_count; k++)
		if (uuid_equal(h->jobs[k].domain, domain))
			return true;
	return false;
}

static void forget_job(struct disk_host *h, uuid snapshot)
{
	struct cut_job *job = find_job(h, snapshot);
	if (job)
		*job = h->jobs[--h->job_count];
}

static RESULT remember_job(struct disk_host *h, struct ctx *c, const struct cut_job *job)
{
	if (find_job(h, job->snapshot))
		return OK;
	struct cut_job *more = heap_resize(h->jobs, (h->job_count + 1) * sizeof *more);
	if (!more)
		return ctx_no_memory(c);
	h->jobs = more;
	more[h->job_count++] = *job;
	return OK;
}

/* A job can be used if it copies everything, or the blocks written since a cut that is available. */
static bool is_usable(const struct cut_job *job, const struct disk_cut *cut)
{
	return uuid_is_none(job->since) ||
	       (cut->takes_increment && uuid_equal(job->since, cut->tracked_from));
}

/* ---- what libvirt says of a domain's jobs */

enum backup {
	BACKUP_NONE, /* no job of any kind */
	BACKUP_OURS,
	BACKUP_OTHER /* another cut's job, or a job of a different kind */
};

static void read_progress(virTypedParameterPtr params, int count, int *ret_progress)
{
	unsigned long long total = 0, done = 0;
	virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_DISK_TOTAL, &total);
	virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_DISK_PROCESSED, &done);
	*ret_progress = total ? (int) (done * 100 / total) : 0;
}

/* Reads a job that was begun through another connection. */
static RESULT read_job(struct disk_host *h, struct ctx *c, virDomainPtr d, const struct disk_cut *cut,
		       struct str xml, struct cut_job *ret_job)
{
	struct cut_job job = {.snapshot = cut->snapshot};
	struct str track = libvirt_track_name(h->on, c, cut->volume, cut->snapshot);
	struct str since = libvirt_track_name(h->on, c, cut->volume, cut->tracked_from);
	if (!track.p || !since.p)
		return ctx_no_memory(c);
	if (virDomainGetUUID(d, job.domain.b) != 0)
		return libvirt_fail(h->on, c, "reading a domain's UUID");
	if (str_contains(xml, since)) /* none of several disks of a job has another base */
		job.since = cut->tracked_from;
	else if (str_contains(xml, STR("<incremental>"))) /* its base isn't cut->tracked_from: a cut nobody
							   * has */
		job.since = cut->snapshot;
	virDomainCheckpointPtr checkpoint = virDomainCheckpointLookupByName(d, track.p, 0);
	job.is_tracked = checkpoint != NULL;
	if (checkpoint)
		virDomainCheckpointFree(checkpoint);
	*ret_job = job;
	return OK;
}

/* ret_job: set for BACKUP_OURS only. */
static RESULT look_at_job(struct disk_host *h, struct ctx *c, virDomainPtr d, const struct disk_cut *cut,
			  struct str file, enum backup *ret_backup, int *ret_progress,
			  struct cut_job *ret_job)
{
	virTypedParameterPtr params = NULL;
	int type = VIR_DOMAIN_JOB_NONE, count = 0;
	ASKING(h, libvirt_id_of(d));
	if (virDomainGetJobStats(d, &type, &params, &count, 0) != 0)
		return libvirt_fail(h->on, c, "looking at the jobs of domain %s", virDomainGetName(d));
	read_progress(params, count, ret_progress);
	virTypedParamsFree(params, count);
	AUTO_TEXT xml = virDomainBackupGetXMLDesc(d, 0);
	if (xml)
		*ret_backup = str_contains(str_from(xml), file) ? BACKUP_OURS : BACKUP_OTHER;
	else if (libvirt_error_is(VIR_ERR_NO_DOMAIN_BACKUP))
		*ret_backup = type == VIR_DOMAIN_JOB_NONE ? BACKUP_NONE : BACKUP_OTHER;
	else
		return libvirt_fail(h->on, c, "looking at the backup of domain %s", virDomainGetName(d));
	return *ret_backup == BACKUP_OURS ? read_job(h, c, d, cut, str_from(xml), ret_job) : OK;
}

/* Reads how the domain's last job ended. libvirt reports an end once only. */
static RESULT take_last_end(struct disk_host *h, struct ctx *c, virDomainPtr d, bool *ret_was_good)
{
	virTypedParameterPtr params = NULL;
	int type = VIR_DOMAIN_JOB_NONE, count = 0, operation = 0, success = 0;
	if (virDomainGetJobStats(d, &type, &params, &count, VIR_DOMAIN_JOB_STATS_COMPLETED) != 0)
		return libvirt_fail(h->on, c, "looking at the last job of domain %s", virDomainGetName(d));
	virTypedParamsGetInt(params, count, VIR_DOMAIN_JOB_OPERATION, &operation);
	bool says = virTypedParamsGetBoolean(params, count, VIR_DOMAIN_JOB_SUCCESS, &success) == 1;
	virTypedParamsFree(params, count);
	*ret_was_good = type == VIR_DOMAIN_JOB_COMPLETED && operation == VIR_DOMAIN_JOB_OPERATION_BACKUP &&
			(!says || success);
	return OK;
}

/* ---- beginning one */

/* Checks for free space for the disk's entire content: its own written blocks and its backing file. */
static RESULT need_room(struct disk_host *h, struct ctx *c, const struct disk_file *source)
{
	AUTO_VOLUME base = NULL;
	int64_t size = 0;
	if (source->backing.n) {
		TRY(libvirt_find_volume(h->on, c, h->on->pool, libvirt_name_in(source->backing), &base));
		if (base)
			TRY(libvirt_find_file_size(h->on, c, base, &size));
	}
	return libvirt_need_room(h->on, c, source->file_size + size);
}

RESULT libvirt_find_target(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str path,
			   struct str *ret_target)
{
	AUTO(xml_tree) t = NULL;
	AUTO_TEXT xml = virDomainGetXMLDesc(d, 0);
	if (!xml)
		return libvirt_fail(h, c, "looking at domain %s", virDomainGetName(d));
	TRY(xml_tree_parse(c, str_from(xml), &t));
	struct str xpath = str_print(
		c->arena, "/domain/devices/disk[source/@file='%" STR_FMT "']/target/@dev", STR_ARG(path));
	*ret_target = xpath.p ? xml_tree_find(c, t, xpath.p) : STR_NONE;
	return ret_target->n ? OK
			     : ctx_fail(c, ERR_AGAIN, "domain %s has the disk %" STR_FMT " no more",
					virDomainGetName(d), STR_ARG(path));
}

struct backup_wish {
	const struct disk_cut *cut;
	struct str target, file;
};

/* since: the bitmap of the blocks to copy; empty: copy everything. */
static struct str write_backup(struct compute_host *on, struct ctx *c, const struct backup_wish *w,
			       struct str since)
{
	char id[UUID_TEXT_SIZE];
	struct str encryption = STR(""), incremental = STR("");
	if (w->cut->key)
		encryption = str_print(c->arena,
				       "<encryption format='luks'><secret type='passphrase' uuid='%s'/>"
				       "</encryption>",
				       uuid_write(w->cut->volume, id));
	if (since.n)
		incremental = str_print(c->arena, "<incremental>%" STR_FMT "</incremental>", STR_ARG(since));
	return str_print(c->arena,
			 "<domainbackup mode='push'>%" STR_FMT "<disks><disk name='%" STR_FMT
			 "' type='file'><target file='%s/%" STR_FMT "'>%" STR_FMT
			 "</target><driver type='qcow2'/></disk></disks></domainbackup>",
			 STR_ARG(incremental), STR_ARG(w->target), on->pool_path, STR_ARG(w->file),
			 STR_ARG(encryption));
}

/* Remembers the job before the call, because the job may have started even if the call fails. */
static RESULT begin_job(struct disk_host *h, struct ctx *c, virDomainPtr d, const struct cut_job *job,
			struct str backup, struct str checkpoint)
{
	if (!backup.p || !checkpoint.p)
		return ctx_no_memory(c);
	TRY(remember_job(h, c, job));
	if (virDomainBackupBegin(d, backup.p, checkpoint.n ? checkpoint.p : NULL,
				 VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL) == 0)
		return OK;
	struct result r = libvirt_fail(h->on, c, "beginning a backup of domain %s", virDomainGetName(d));
	forget_job(h, job->snapshot);
	return r;
}

/* Begins a backup and a new dirty bitmap at the same moment. The blocks copied are those of the previous
 * bitmap if it is usable, otherwise all. */
static RESULT begin_tracked(struct disk_host *h, struct ctx *c, virDomainPtr d, const struct backup_wish *w,
			    struct cut_job job)
{
	const struct disk_cut *cut = w->cut;
	struct track_set old = {.volume = cut->volume, .known = {cut->tracked_from, cut->snapshot}};
	struct str since = libvirt_track_name(h->on, c, cut->volume, cut->tracked_from);
	struct str track = libvirt_track_name(h->on, c, cut->volume, cut->snapshot);
	bool is_increment = false;
	if (!since.p || !track.p)
		return ctx_no_memory(c);
	if (cut->takes_increment)
		TRY(libvirt_check_track(h->on, c, d, w->target, since, &is_increment));
	if (is_increment)
		old.keep = job.since = cut->tracked_from;
	struct str backup = write_backup(h->on, c, w, is_increment ? since : STR_NONE);
	if (cut->is_passing)
		return begin_job(h, c, d, &job, backup, STR(""));
	job.is_tracked = true;
	TRY(libvirt_drop_tracks(h->on, c, d, w->target, &old));
	struct str checkpoint =
		str_print(c->arena,
			  "<domaincheckpoint><name>%" STR_FMT "</name><disks><disk name='%" STR_FMT
			  "' checkpoint='bitmap' bitmap='%" STR_FMT "'/></disks></domaincheckpoint>",
			  STR_ARG(track), STR_ARG(w->target), STR_ARG(track));
	return begin_job(h, c, d, &job, backup, checkpoint);
}

/* Creates the target file first, so that the pool knows it whatever happens to the job. A disk that can't
 * have a dirty bitmap (a read-only one) is copied completely. */
static RESULT begin_backup(struct disk_host *h, struct ctx *c, virDomainPtr d, const struct disk_cut *cut,
			   const struct disk_file *source, struct str file)
{
	struct backup_wish w = {.cut = cut, .file = file};
	struct cut_job job = {.snapshot = cut->snapshot};
	bool ignored = false;
	TRY(libvirt_find_target(h->on, c, d, source->path, &w.target));
	TRY(take_last_end(h, c, d, &ignored)); /* from now on the last job end can only be this cut's */
	TRY(libvirt_create_disk(h->on, c, file, source->size, STR_NONE, cut->key));
	if (cut->key)
		TRY(libvirt_set_secret(h->on, c, cut->volume, cut->key));
	if (virDomainGetUUID(d, job.domain.b) != 0)
		return libvirt_fail(h->on, c, "reading a domain's UUID");
	ASKING(h, job.domain);
	struct result r = begin_tracked(h, c, d, &w, job);
	if (result_is_ok(r) || r.code == ERR_GONE || r.code == ERR_AGAIN)
		return r;
	log_event(LOG_INFO, "cut-untracked", "domain=%s message=%s", virDomainGetName(d),
		  log_quote(c->problem.message));
	ctx_clear_problem(c);
	return begin_job(h, c, d, &job, write_backup(h->on, c, &w, STR_NONE), STR(""));
}

/* ---- several disks at one moment ---- */

struct group_disk {
	const struct disk_cut *cut;
	struct str target, file, since, track; /* since: empty unless the job copies an increment */
};

static RESULT prepare_disk(struct disk_host *h, struct ctx *c, virDomainPtr d, const struct disk_cut *cut,
			   struct group_disk *g)
{
	struct compute_host *on = h->on;
	AUTO_VOLUME v = NULL;
	struct disk_file source = {0};
	bool is_increment = false;
	struct disk_name name = {.kind = DISK_CUT, .id = cut->snapshot};
	struct str volume = libvirt_volume_name(c->arena, on->region, cut->volume, false);
	struct str since = libvirt_track_name(on, c, cut->volume, cut->tracked_from);
	*g = (struct group_disk){.cut = cut,
				 .file = libvirt_disk_name(c->arena, on->region, &name),
				 .track = libvirt_track_name(on, c, cut->volume, cut->snapshot)};
	if (!volume.p || !since.p || !g->file.p || !g->track.p)
		return ctx_no_memory(c);
	TRY(libvirt_find_volume(on, c, on->pool, volume, &v));
	if (!v)
		return ctx_fail(c, ERR_IO, "the disk %" STR_FMT " is missing", STR_ARG(volume));
	TRY(libvirt_read_disk(on, c, v, &source));
	TRY(libvirt_find_target(on, c, d, source.path, &g->target));
	TRY(libvirt_delete_volume(on, c, on->pool, g->file));
	TRY(need_room(h, c, &source));
	TRY(libvirt_create_disk(on, c, g->file, source.size, STR_NONE, cut->key));
	if (cut->key)
		TRY(libvirt_set_secret(on, c, cut->volume, cut->key));
	if (cut->takes_increment)
		TRY(libvirt_check_track(on, c, d, g->target, since, &is_increment));
	g->since = is_increment ? since : STR_NONE;
	struct track_set old = {.volume = cut->volume,
				.keep = is_increment ? cut->tracked_from : UUID_NONE,
				.known = {cut->tracked_from, cut->snapshot}};
	return cut->is_passing ? OK : libvirt_drop_tracks(on, c, d, g->target, &old);
}

static struct str write_group(struct compute_host *on, struct ctx *c, const struct group_disk *disks,
			      size_t count)
{
	struct str xml = STR("<domainbackup mode='push'><disks>");
	for (size_t k = 0; k < count; k++) {
		const struct group_disk *g = &disks[k];
		struct str mode = STR(""), encryption = STR("");
		char id[UUID_TEXT_SIZE];
		if (g->since.n)
			mode = str_print(c->arena, " backupmode='incremental' incremental='%" STR_FMT "'",
					 STR_ARG(g->since));
		if (g->cut->key)
			encryption = str_print(c->arena,
					       "<encryption format='luks'><secret type='passphrase' "
					       "uuid='%s'/></encryption>",
					       uuid_write(g->cut->volume, id));
		xml = str_print(c->arena,
				"%" STR_FMT "<disk name='%" STR_FMT "' type='file'%" STR_FMT
				"><target file='%s/%" STR_FMT "'>%" STR_FMT
				"</target><driver type='qcow2'/></disk>",
				STR_ARG(xml), STR_ARG(g->target), STR_ARG(mode), on->pool_path,
				STR_ARG(g->file), STR_ARG(encryption));
	}
	return str_print(c->arena, "%" STR_FMT "</disks></domainbackup>", STR_ARG(xml));
}

static RESULT begin_tracks(struct compute_host *on, struct ctx *c, virDomainPtr d,
			   const struct group_disk *disks, size_t count)
{
	for (size_t k = 0; k < count; k++) {
		const struct group_disk *g = &disks[k];
		if (!g->cut->is_passing)
			TRY(libvirt_begin_track(on, c, d, g->target, g->track));
	}
	return OK;
}

/* Begins the bitmaps and the copies while the guest is paused. This needs several calls of libvirt, and the pause gives
 * all disks the same moment. */
static RESULT begin_still(struct disk_host *h, struct ctx *c, virDomainPtr d, const struct group_disk *disks,
			  size_t count)
{
	struct str xml = write_group(h->on, c, disks, count);
	if (!xml.p)
		return ctx_no_memory(c);
	TRY(begin_tracks(h->on, c, d, disks, count));
	for (size_t k = 0; k < count; k++) {
		const struct disk_cut *cut = disks[k].cut;
		struct cut_job job = {.snapshot = cut->snapshot,
				      .domain = libvirt_id_of(d),
				      .since = disks[k].since.n ? cut->tracked_from : UUID_NONE,
				      .is_tracked = !cut->is_passing,
				      .moment = disks[0].cut->snapshot};
		TRY(remember_job(h, c, &job));
	}
	if (virDomainBackupBegin(d, xml.p, NULL, VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL) == 0)
		return OK;
	struct result r = libvirt_fail(h->on, c, "beginning a backup of domain %s", virDomainGetName(d));
	for (size_t k = 0; k < count; k++)
		forget_job(h, disks[k].cut->snapshot);
	return r;
}

static RESULT begin_group(struct disk_host *h, struct ctx *c, virDomainPtr d, const struct disk_cut *cut)
{
	size_t count = cut->other_count + 1;
	struct group_disk *disks = arena_new_array(c->arena, struct group_disk, count);
	int state = 0;
	bool ignored = false;
	if (!disks)
		return ctx_no_memory(c);
	TRY(take_last_end(h, c, d, &ignored)); /* from now on the last job end can only be this job's */
	for (size_t k = 0; k < count; k++)
		TRY(prepare_disk(h, c, d, k ? &cut->others[k - 1] : cut, &disks[k]));
	ASKING(h, libvirt_id_of(d));
	if (virDomainGetState(d, &state, NULL, 0) != 0)
		return libvirt_fail(h->on, c, "looking at domain %s", virDomainGetName(d));
	bool runs = state == VIR_DOMAIN_RUNNING;
	if (runs && virDomainSuspend(d) != 0)
		return libvirt_fail(h->on, c, "pausing domain %s", virDomainGetName(d));
	struct result r = begin_still(h, c, d, disks, count);
	if (runs && virDomainResume(d) != 0) /* the instance's next look resumes it */
		log_event(LOG_WARN, "not-resumed", "domain=%s", virDomainGetName(d));
	return r;
}

/* A later look sees the end. */
static void abort_job(struct disk_host *h, virDomainPtr d)
{
	ASKING(h, libvirt_id_of(d));
	virDomainAbortJob(d);
}

/* ---- the two ways */

/* Drops bitmaps that are no longer needed. Those it fails to drop are retried before the next cut. */
static void drop_old_tracks(struct disk_host *h, struct ctx *c, virDomainPtr d, const struct disk_cut *cut,
			    const struct disk_file *source)
{
	struct track_set old = {.volume = cut->volume, .keep = cut->snapshot, .known = {cut->tracked_from}};
	struct str target = STR_NONE;
	ASKING(h, libvirt_id_of(d));
	struct result r = libvirt_find_target(h->on, c, d, source->path, &target);
	if (result_is_ok(r))
		r = libvirt_drop_tracks(h->on, c, d, target, &old);
	if (!result_is_ok(r))
		ctx_clear_problem(c);
}

/* Reads how the cut's job ended, and notes it for the other cuts of the job. */
static RESULT take_end_of(struct disk_host *h, struct ctx *c, virDomainPtr d, uuid snapshot,
			  bool *ret_was_good)
{
	const struct cut_job job = *find_job(h, snapshot);
	bool was_good = job.was_good;
	if (!job.has_ended)
		TRY(take_last_end(h, c, d, &was_good));
	for (size_t k = 0; k < h->job_count; k++)
		if (uuid_equal(h->jobs[k].domain, job.domain)) {
			h->jobs[k].has_ended = true;
			h->jobs[k].was_good = was_good;
		}
	*ret_was_good = was_good;
	return OK;
}

/* Evaluates a job that is no longer running. */
static RESULT judge_job(struct disk_host *h, struct ctx *c, virDomainPtr d, const struct disk_cut *cut,
			const struct disk_file *source, bool is_there, struct disk_cut_seen *seen)
{
	bool was_good = false;
	TRY(take_end_of(h, c, d, cut->snapshot, &was_good));
	struct cut_job job = *find_job(h, cut->snapshot);
	forget_job(h, cut->snapshot);
	seen->progress = 0;
	if (!is_usable(&job, cut)) /* the next call begins another job */
		return OK;
	if (!was_good || !is_there)
		return ctx_fail(c, ERR_IO, "the backup of domain %s failed", virDomainGetName(d));
	if (job.is_tracked)
		drop_old_tracks(h, c, d, cut, source);
	seen->is_whole = true;
	seen->moment = job.moment;
	seen->is_tracked = job.is_tracked;
	seen->is_increment = !uuid_is_none(job.since);
	return OK;
}

static RESULT cut_running(struct disk_host *h, struct ctx *c, virDomainPtr d, const struct disk_cut *cut,
			  const struct disk_file *source, struct str file, bool is_there,
			  struct disk_cut_seen *seen)
{
	enum backup backup = BACKUP_NONE;
	struct cut_job job = {0};
	uuid domain = UUID_NONE;
	TRY(look_at_job(h, c, d, cut, file, &backup, &seen->progress, &job));
	if (backup == BACKUP_OURS && find_job(h, cut->snapshot))
		job = *find_job(h, cut->snapshot);
	if (backup == BACKUP_OURS && !is_usable(&job, cut))
		abort_job(h, d);
	if (backup == BACKUP_OURS)
		return remember_job(h, c, &job);
	if (backup == BACKUP_OTHER) {
		seen->progress = 0;
		return OK;
	}
	if (find_job(h, cut->snapshot))
		return judge_job(h, c, d, cut, source, is_there, seen);
	seen->progress = 0;
	if (virDomainGetUUID(d, domain.b) != 0)
		return libvirt_fail(h->on, c, "reading a domain's UUID");
	if (domain_has_job(h, domain)) /* its end must be evaluated first */
		return OK;
	if (cut->other_count) {
		struct result r = begin_group(h, c, d, cut);
		if (result_is_ok(r) || r.code == ERR_GONE || r.code == ERR_AGAIN)
			return r;
		log_event(LOG_INFO, "cut-alone", "domain=%s message=%s", virDomainGetName(d),
			  log_quote(c->problem.message));
		ctx_clear_problem(c);
	}
	TRY(libvirt_delete_volume(h->on, c, h->on->pool, file));
	TRY(need_room(h, c, source));
	return begin_backup(h, c, d, cut, source, file);
}

/* Returns when the copy is complete. */
RESULT libvirt_copy_resting(struct compute_host *h, struct ctx *c, virStorageVolPtr source, int64_t size,
			    struct str file)
{
	struct str xml = str_print(c->arena,
				   "<volume type='file'><name>%" STR_FMT
				   "</name><capacity unit='bytes'>%" PRId64 "</capacity>"
				   "<allocation>0</allocation><target><format type='qcow2'/>"
				   "<compat>1.1</compat></target></volume>",
				   STR_ARG(file), size);
	if (!xml.p)
		return ctx_no_memory(c);
	AUTO_VOLUME v = virStorageVolCreateXMLFrom(h->pool, xml.p, source, 0);
	if (v)
		return OK;
	struct result r = libvirt_fail(h, c, "making the cut %" STR_FMT, STR_ARG(file));
	virStoragePoolRefresh(h->pool, 0);
	return libvirt_blame_room(h, c, r);
}

static RESULT cut_resting(struct disk_host *h, struct ctx *c, virStorageVolPtr source,
			  const struct disk_file *f, struct str file)
{
	TRY(libvirt_delete_volume(h->on, c, h->on->pool, file));
	TRY(need_room(h, c, f));
	return libvirt_copy_resting(h->on, c, source, f->size, file);
}

/* Holds the disk if QEMU has to copy it: always for an encrypted one, and preferably for one with dirty
 * bitmaps. */
static RESULT hold_resting(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
			   const struct disk_file *source, virDomainPtr *ret_domain)
{
	struct compute_disk disk = {.volume = cut->volume,
				    .key = cut->key,
				    .encrypted_base = source->backing.n ? cut->encrypted_base : STR_NONE};
	return libvirt_hold_disk(h, c, cut->snapshot, &disk, ret_domain);
}

RESULT libvirt_cut(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
		   struct disk_cut_seen *ret_seen)
{
	struct compute_host *on = h->on;
	struct disk_cut_seen seen = {0};
	struct disk_file source = {0};
	AUTO_DOMAIN user = NULL;
	AUTO_VOLUME v = NULL, there = NULL;
	TRY(libvirt_check_alive(on, c));
	TRY(libvirt_need_pools(on, c));
	struct disk_name name = {.kind = DISK_CUT, .id = cut->snapshot};
	struct str file = libvirt_disk_name(c->arena, on->region, &name);
	if (cut->is_raw)
		return libvirt_cut_raw(h, c, cut, file, ret_seen);
	TRY(libvirt_find_volume(on, c, on->pool, file, &there));
	struct str volume = libvirt_volume_name(c->arena, on->region, cut->volume, false);
	TRY(libvirt_find_volume(on, c, on->pool, volume, &v));
	if (!v)
		return ctx_fail(c, ERR_NOT_FOUND, "the disk %" STR_FMT " is missing on the host %s",
				STR_ARG(volume), on->name);
	TRY(libvirt_read_disk(on, c, v, &source));
	TRY(libvirt_find_user_of(on, c, source.path, &user));
	if (user)
		TRY(libvirt_check_answers(on, c, user));
	if (!user && (cut->key || !uuid_is_none(cut->tracked_from)))
		TRY(hold_resting(h, c, cut, &source, &user));
	if (user) {
		TRY(cut_running(h, c, user, cut, &source, file, there != NULL, &seen));
		if (seen.is_whole)
			TRY(libvirt_release_disk(h, c, cut->snapshot));
	} else {
		forget_job(h, cut->snapshot); /* the job ended with its guest, at an unknown point */
		TRY(cut_resting(h, c, v, &source, file));
		seen.is_whole = true;
	}
	seen.size = source.size;
	if (seen.is_whole)
		seen.progress = 100;
	*ret_seen = seen;
	return OK;
}

/* ---- ending one */

static RESULT end_job(struct disk_host *h, struct ctx *c, virDomainPtr d)
{
	TRY(libvirt_check_answers(h->on, c, d));
	abort_job(h, d);
	return ctx_fail(c, ERR_AGAIN, "the backup of domain %s is being ended", virDomainGetName(d));
}

RESULT libvirt_end_cut(struct disk_host *h, struct ctx *c, uuid snapshot)
{
	struct disk_name name = {.kind = DISK_CUT, .id = snapshot};
	struct str file = libvirt_disk_name(c->arena, h->on->region, &name);
	virDomainPtr *domains = NULL;
	if (!file.p)
		return ctx_no_memory(c);
	TRY(libvirt_release_disk(h, c, snapshot)); /* this also ends the holder's job */
	int count = virConnectListAllDomains(h->on->conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	if (count < 0)
		return libvirt_fail(h->on, c, "listing running domains");
	struct result r = OK;
	for (int k = 0; k < count; k++) {
		AUTO_DOMAIN d = domains[k];
		AUTO_TEXT xml = result_is_ok(r) ? virDomainBackupGetXMLDesc(d, 0) : NULL;
		if (!xml || !str_contains(str_from(xml), file))
			continue;
		r = end_job(h, c, d);
	}
	libvirt_autofree_text((char **) &domains);
	if (result_is_ok(r))
		forget_job(h, snapshot);
	return r;
}

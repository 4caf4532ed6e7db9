/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/libvirt: one connection to one host, and shared functions of the folder. Names on a host
 * begin with "dari-<first 8 digits of the region>-", so that several regions, and other software, can share
 * it.
 *
 * Threads: everything runs on the host's actor except the callbacks, which run on libvirt's event thread.
 * These access only fields guarded by `lock` and never call libvirt. */
#pragma once

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "drivers/ceph.h"
#include "drivers/compute.h"
#include "drivers/disk.h"
#include "model/host_words.h"
#include "model/instance_words.h"

struct host;

enum { REGION_TEXT_SIZE = 9, BOOT_ID_SIZE = 17 };

enum { HOST_EVENTS = 3 }; /* lifecycle, device removed, device removal failed */

struct compute_host {
	virConnectPtr conn;
	uuid region;
	char region_text[REGION_TEXT_SIZE];
	char *name, *uri;                 /* owned */
	char *own_path;                   /* owned; the host's own directory, without a trailing slash */
	char *pool_path;                  /* owned; directory of the files that calls refer to:
					   * disk_enter() */
	virStoragePoolPtr pool, consoles; /* for pool_path, and below own_path; NULL until
					   * libvirt_need_pools() */
	enum host_seen_virt virt;         /* unknown until libvirt_need_virt() */
	char *virt_reason;                /* owned; NULL: none */
	char *model; /* owned; processor model that the host's row names for guests; empty: none */
	/* Facts found by libvirt_need_processor(), as in struct compute_facts. Owned; cpu NULL: not yet
	 * read. */
	char *cpu, *named_cpu, *machine, *machines;
	char boot_id[BOOT_ID_SIZE];
	int event_ids[HOST_EVENTS]; /* callback ids of domain events; -1: none */
	_Atomic bool is_gone;       /* set by the close callback or by the first failing call */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t ended; /* signalled at the end of the KVM proof */
	int refs;             /* one for the owner and one for each registered callback */
	void (*changed)(void *arg, uuid id);
	void *changed_arg;
	uuid proof;         /* the proof's domain while it runs */
	int proof_detail;   /* virDomainEventStoppedDetailType once it ended; -1 before */
	uuid *host_stopped; /* domains that the host's shutdown ended */
	size_t host_stopped_count;
};

/* The connection of drivers/disk.h: a second one of the same type, without domain events. */
struct disk_host {
	struct compute_host *on; /* owned */
	void (*asks)(void *arg, uuid guest);
	void *asks_arg;
	/* Backup jobs begun, or seen running, through this connection, whose end has not been evaluated yet.
	 * At most one per domain. */
	struct cut_job {
		uuid snapshot, domain;
		uuid since;      /* copies the blocks written since this snapshot's cut; none: all */
		bool is_tracked; /* also began a dirty bitmap */
		uuid moment; /* the snapshot whose call began a job of several disks; none: the job has one disk */
		bool has_ended, was_good; /* libvirt reports an end once, to the first cut that asks */
	} * jobs;                         /* owned */
	size_t job_count;
};

/* Frees the handle at the end of its scope. */
void libvirt_autodrop_domain(virDomainPtr *d);
void libvirt_autodrop_pool(virStoragePoolPtr *p);
void libvirt_autodrop_volume(virStorageVolPtr *v);
void libvirt_autofree_text(char **text);
#define AUTO_DOMAIN __attribute__((cleanup(libvirt_autodrop_domain))) virDomainPtr
#define AUTO_POOL __attribute__((cleanup(libvirt_autodrop_pool))) virStoragePoolPtr
#define AUTO_VOLUME __attribute__((cleanup(libvirt_autodrop_volume))) virStorageVolPtr
#define AUTO_TEXT __attribute__((cleanup(libvirt_autofree_text))) char *

/* ---- error.c */

/* Turns libvirt's last error on this thread into a message ("what: libvirt's message") and an error kind.
 * ERR_GONE, and the host marked as gone, when the connection is dead. */
RESULT libvirt_fail(struct compute_host *h, struct ctx *c, const char *what, ...)
	__attribute__((format(printf, 3, 4)));
/* True if this is libvirt's last error. */
bool libvirt_error_is(int code);
/* ERR_GONE if the connection is already known to be lost. The first line of every call. */
RESULT libvirt_check_alive(struct compute_host *h, struct ctx *c);

/* ---- connection.c */

/* with_events: registers for domain events. */
RESULT libvirt_connect(struct ctx *c, uuid region, const struct host *host, bool with_events,
		       struct compute_host **ret_host);
/* Opens another connection to the host, with keep-alive, owned by the caller. ERR_GONE. */
RESULT libvirt_connect_again(struct compute_host *h, struct ctx *c, virConnectPtr *ret_conn);
/* Waits until the event thread has left every callback that was removed before, and has released their data:
 * libvirt's loop does that later, in order of removal. Must not run on the event thread. */
void libvirt_pass_events(void);
/* Closes a connection after the caller freed everything that belongs to it. Ensures that the caller holds the
 * last reference: if the event thread dropped it, closing would wait there for the host, and nothing could
 * interrupt it. */
void libvirt_close_connection(virConnectPtr conn);
/* Implements drivers/compute.h. */
RESULT libvirt_open_host(void *self, struct ctx *c, uuid region, const struct host *host,
			 struct compute_host **ret_host);
void libvirt_close_host(struct compute_host *h);
void libvirt_watch(struct compute_host *h, void (*changed)(void *arg, uuid id), void *arg);

/* ---- connect.c: virConnectOpen() and reaching a host, with a deadline */

/* ERR_GONE if the host doesn't answer before deadline_us (monotonic). */
RESULT libvirt_open_connection(struct ctx *c, const char *uri, int64_t deadline_us, virConnectPtr *ret_conn);
/* ERR_GONE if the URI's address doesn't accept a connection before deadline_us (monotonic). */
RESULT libvirt_reach(struct ctx *c, const char *uri, int64_t deadline_us);
/* True if the address is a local unix socket. */
bool libvirt_is_local(struct ctx *c, const char *uri);
/* Waits on a condition until deadline_us, but at most a second, so that a frozen test clock doesn't block
 * it. */
void libvirt_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_us);

/* ---- domain_xml.c: pure */

struct domain_place { /* what the definition depends on besides the wish */
	uuid region;
	struct str pool_path;
	enum host_seen_virt virt;
	struct str variables; /* digest of the initial UEFI variables, hex; empty: libvirt's defaults */
	int64_t epoch;        /* as in struct ctx; no part of the digest */
};
static const size_t DEVICE_XML_CAP = 4 << 10;
#define DOMAIN_XMLNS "urn:dari:instance:1"
enum { DOMAIN_DIGEST_SIZE = 65 };

/* ret_xml: in c's arena. ret_digest: hex; equal for equal wishes and places. */
RESULT libvirt_write_domain(struct ctx *c, const struct domain_place *place,
			    const struct compute_domain *wish, struct str *ret_xml,
			    char ret_digest[static DOMAIN_DIGEST_SIZE]);
/* File names in the pool's directory, in a's arena. */
struct str libvirt_volume_name(struct arena *a, uuid region, uuid volume, bool is_raw);
struct str libvirt_disk_name(struct arena *a, uuid region, const struct disk_name *name);
/* Identifies a file by its name. False: not this region's. The digest points into name. */
bool libvirt_parse_disk_name(const char *region_text, struct str name, struct disk_name *ret_name);
struct str libvirt_drive_name(struct arena *a, uuid region, uuid instance);
struct str libvirt_console_name(struct arena *a, uuid region, uuid instance);
void libvirt_write_region(uuid region, char out[static REGION_TEXT_SIZE]);
/* Writes a domain that has nothing but the firmware of such hardware. */
RESULT libvirt_write_firmware_domain(struct ctx *c, const struct domain_place *place,
				     const struct compute_hardware *hw, struct str *ret_xml);

/* ---- device_xml.c: pure */

#define DEVICE_ALIAS "ua-" /* libvirt keeps user aliases with this prefix */

/* Writes the root ports for disks and NICs; with_drive: also the config drive's. */
void libvirt_write_slots(struct buf *b, bool with_drive);
/* medium NULL: an empty drive. */
RESULT libvirt_write_cdrom(struct ctx *c, struct buf *b, const struct domain_place *place,
			   const struct compute_hardware *hw, const struct compute_disk *medium);
RESULT libvirt_write_drive(struct ctx *c, struct buf *b, const struct domain_place *place,
			   const struct compute_domain *w);
/* Writes the disk's <source>, with its backing chain where that has to be stated. */
RESULT libvirt_write_source(struct ctx *c, struct buf *b, const struct domain_place *place,
			    const struct compute_disk *d);
/* The type of <disk>, and of its driver. d NULL: an empty drive. */
const char *libvirt_source_type(const struct compute_disk *d);
const char *libvirt_format(const struct compute_disk *d);
RESULT libvirt_write_disk(struct ctx *c, struct buf *b, const struct domain_place *place,
			  const struct compute_hardware *hw, const struct compute_disk *d);
void libvirt_write_nic(struct buf *b, const struct domain_place *place, const struct compute_hardware *hw,
		       const struct compute_nic *n);

/* ---- devices.c */

struct xml_tree; /* a parsed document: xml_read.c */

struct domain_devices { /* disks by file or image, NICs by alias; in the context's arena */
	struct uuids volumes, ports;
	uuid medium;         /* the volume in the CD-ROM drive; none: empty */
	struct uuids unlike; /* volumes whose limits differ from the wish */
	unsigned nic_slots;  /* one bit per slot whose bus address a NIC has */
};
/* Reads the running guest's devices, or the definition's. */
RESULT libvirt_read_devices(struct compute_host *h, struct ctx *c, virDomainPtr domain, bool is_running,
			    const struct compute_domain *wish, struct domain_devices *ret_devices);
/* Plugs missing devices into a running domain and asks the guest to release unwished ones: those in its
 * previous definition, or all of them if the wish asks again. */
RESULT libvirt_plug_devices(struct compute_host *h, struct ctx *c, virDomainPtr domain,
			    const struct domain_place *place, const struct compute_domain *wish,
			    const struct domain_devices *until_now);

/* ---- block_copy.c */

/* Implements drivers/compute.h. */
RESULT libvirt_swap(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish, bool begins,
		    enum compute_swap_stage *ret_stage);
RESULT libvirt_end_swap(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish);

/* ---- limits.c */

/* Writes <iotune>, or nothing without limits. */
void libvirt_write_limits(struct buf *b, const struct disk_limits *limits);
/* True if a domain's XML limits the disk as wished. */
bool libvirt_has_limits(struct ctx *c, struct xml_tree *t, const struct compute_disk *d);
/* Sets the limits of a running domain's disk; path: the disk's file. */
RESULT libvirt_set_limits(struct compute_host *h, struct ctx *c, virDomainPtr domain, struct str path,
			  const struct disk_limits *limits);

/* ---- domain.c */

/* Implements drivers/compute.h. */
RESULT libvirt_see(struct compute_host *h, struct ctx *c, const struct compute_domain *wish,
		   struct compute_seen *ret_seen);
RESULT libvirt_define(struct compute_host *h, struct ctx *c, const struct compute_domain *domain);
RESULT libvirt_set_power(struct compute_host *h, struct ctx *c, uuid id, enum compute_power power);
RESULT libvirt_undefine(struct compute_host *h, struct ctx *c, uuid id);
/* A domain's mark in our metadata. */
struct domain_mark {
	uuid region, id;
	int64_t epoch;        /* epoch of the last writer that acted on the domain; 0: none is known */
	struct str wish;      /* digest of the definition; in c's arena, like the others */
	struct str variables; /* as in struct domain_place */
	struct str manifest;
};
/* declares: with the name space, which virDomainSetMetadata() adds by itself. */
void libvirt_write_mark(struct buf *b, const struct domain_mark *mark, bool declares);
RESULT libvirt_read_mark(struct compute_host *h, struct ctx *c, virDomainPtr domain,
			 struct domain_mark *ret_mark, bool *ret_found);
/* NULL: no such domain. ERR_CONFLICT: it belongs to another region, or to nobody. ERR_AGAIN: a later writer has acted on
 * it. ret_mark may be NULL. */
RESULT libvirt_find_domain(struct compute_host *h, struct ctx *c, uuid id, virDomainPtr *ret_domain,
			   struct domain_mark *ret_mark);
/* Puts the writer's epoch on a domain before an act, so that a former writer that stood still refuses to act on it.
 * libvirt has no call that compares and acts at once: an act that is already at libvirt is not held back. */
RESULT libvirt_claim_domain(struct compute_host *h, struct ctx *c, virDomainPtr d,
			    const struct domain_mark *mark);
/* ERR_IO with a message if another call is already waiting for this domain's QEMU: libvirt would block this
 * call as long. */
RESULT libvirt_check_answers(struct compute_host *h, struct ctx *c, virDomainPtr d);
/* Finds a running domain whose host and QEMU answer. ERR_STATE: absent or off. ret_mark may be NULL. */
RESULT libvirt_find_running(struct compute_host *h, struct ctx *c, uuid id, virDomainPtr *ret_domain,
			    struct domain_mark *ret_mark);
enum instance_seen_power libvirt_power_of(int state);

/* ---- migrate.c */

/* Implements drivers/compute.h. */
RESULT libvirt_see_end(struct compute_host *h, struct ctx *c, uuid id, struct compute_end_seen *ret_seen);
RESULT libvirt_send(struct compute_host *h, struct ctx *c, struct compute_migration *journey);

/* ---- inventory.c */

/* Implements drivers/compute.h. */
RESULT libvirt_list(struct compute_host *h, struct ctx *c, struct compute_inventory *ret_inventory);
/* Implements drivers/disk.h. */
RESULT libvirt_list_disks(struct disk_host *h, struct ctx *c, struct disk_inventory *ret_inventory);
/* The file name in a path. */
struct str libvirt_name_in(struct str path);
/* Checks that no domain or volume on the host, ours or not, uses the file. ERR_AGAIN if not everything could
 * be checked. */
RESULT libvirt_check_base_is_free(struct compute_host *h, struct ctx *c, struct str name);
/* The running domain that uses the file as a disk, or NULL. */
RESULT libvirt_find_user_of(struct compute_host *h, struct ctx *c, struct str path, virDomainPtr *ret_domain);
/* All such domains, in c's arena. */
RESULT libvirt_list_users_of(struct compute_host *h, struct ctx *c, struct str path, struct uuids *ret_users);

/* ---- pool.c */

struct xml_tree;

/* Defines and starts our pools if needed: disks in pool_path, console logs in own_path/console. */
RESULT libvirt_need_pools(struct compute_host *h, struct ctx *c);
/* Implements drivers/disk.h. */
RESULT libvirt_enter(struct disk_host *h, struct ctx *c, struct str directory);
RESULT libvirt_prove(struct disk_host *h, struct ctx *c, const struct disk_mark *own, struct str kept_word,
		     struct disk_marks *ret_marks);
/* The directory of a disk's file. */
struct str libvirt_directory_of(const struct compute_host *h, const struct compute_disk *d);
/* The current size and free space of the disks' file system. */
RESULT libvirt_find_room(struct compute_host *h, struct ctx *c, int64_t *ret_size, int64_t *ret_free);
/* ERR_CAPACITY with a message when it is full. */
RESULT libvirt_check_room(struct compute_host *h, struct ctx *c);
/* ERR_CAPACITY with a message if so many bytes more would fill it, which would pause the guests there. */
RESULT libvirt_need_room(struct compute_host *h, struct ctx *c, int64_t more);
/* After the failure r: returns "pool full" if it is full, otherwise r. */
RESULT libvirt_blame_room(struct compute_host *h, struct ctx *c, struct result r);
/* NULL: none. */
RESULT libvirt_find_volume(struct compute_host *h, struct ctx *c, virStoragePoolPtr pool, struct str name,
			   virStorageVolPtr *ret_volume);
/* On failure, refreshes the pool: a file unknown to libvirt may be in the way, and the next attempt will find
 * it. */
RESULT libvirt_create_volume(struct compute_host *h, struct ctx *c, struct str xml, struct str name,
			     virStorageVolPtr *ret_volume);
/* A file's length in bytes, from its volume's XML. */
RESULT libvirt_read_length(struct ctx *c, struct xml_tree *t, int64_t *ret_size);
/* Absent: OK. */
RESULT libvirt_delete_volume(struct compute_host *h, struct ctx *c, virStoragePoolPtr pool, struct str name);

/* ---- disk.c */

/* A pool file's properties. */
struct disk_file {
	struct str path, format, backing;
	int64_t size, file_size; /* size as the guest sees it; length of the file */
	bool is_encrypted;
};
RESULT libvirt_read_disk(struct compute_host *h, struct ctx *c, virStorageVolPtr v,
			 struct disk_file *ret_file);
/* Creates a qcow2 file. backing: name of a file in the same directory; empty: none. key: as in
 * drivers/disk.h. */
RESULT libvirt_create_disk(struct compute_host *h, struct ctx *c, struct str name, int64_t size,
			   struct str backing, const struct disk_key *key);

/* Refreshes the pool if libvirt doesn't yet know the file as qcow2. ERR_CONFLICT: it isn't. */
RESULT libvirt_read_format(struct compute_host *h, struct ctx *c, virStorageVolPtr v, struct disk_file *file);
/* Sets *ret_has if the file that the disk is created from is complete. */
RESULT libvirt_has_base(struct compute_host *h, struct ctx *c, const struct disk_spec *w, struct str name,
			bool *ret_has);
struct result libvirt_fail_missing(struct compute_host *h, struct ctx *c, uuid volume);

/* ---- shared_disk.c: disks that several guests have */

/* Implements drivers/disk.h for a disk that is, or becomes, a raw image. */
RESULT libvirt_ensure_raw(struct disk_host *disks, struct ctx *c, const struct disk_spec *w,
			  struct disk_seen *ret_seen);
/* The same for a raw file. file: path of the cut. */
RESULT libvirt_cut_raw(struct disk_host *disks, struct ctx *c, const struct disk_cut *cut, struct str file,
		       struct disk_cut_seen *ret_seen);

/* ---- secret.c */

/* Sets or drops a volume's key in the host's libvirt, which also loses it when libvirtd ends. Both are
 * idempotent. */
RESULT libvirt_set_secret(struct compute_host *h, struct ctx *c, uuid volume, const struct disk_key *key);
RESULT libvirt_drop_secret(struct compute_host *h, struct ctx *c, uuid volume);
/* Sets the secrets that the host needs to open a domain's disks: keys of volumes and of Ceph pools. The
 * latter stay until libvirtd ends. */
RESULT libvirt_set_secrets(struct compute_host *h, struct ctx *c, const struct compute_domain *domain);
/* Implements drivers/compute.h. */
RESULT libvirt_trust_pool(struct compute_host *h, struct ctx *c, const struct ceph_place *place);

/* Marks, until the end of the scope, that a QEMU is being queried; whose: its domain. Reported to
 * drivers/disk.h's watch(). */
struct asking {
	struct disk_host *h;
};
struct asking libvirt_ask(struct disk_host *h, uuid whose);
void libvirt_end_asking(struct asking *asking);
#define ASKING(h, whose)                                                                                     \
	__attribute__((cleanup(libvirt_end_asking))) struct asking asking_ = libvirt_ask((h), (whose));      \
	(void) asking_
/* The id of a handle, without a call to the host. */
uuid libvirt_id_of(virDomainPtr d);

/* ---- offline_qemu.c */

/* Opens a disk that no guest uses as the disk of a running holder domain. what: the volume or snapshot it is
 * for. */
RESULT libvirt_hold_disk(struct disk_host *h, struct ctx *c, uuid what, const struct compute_disk *disk,
			 virDomainPtr *ret_domain);
/* Absent: OK. */
RESULT libvirt_release_disk(struct disk_host *h, struct ctx *c, uuid what);

/* ---- dirty_bitmap.c: what a disk notes of its writes. target: the disk, as the domain calls it */

/* Returned in c's arena. */
struct str libvirt_track_name(struct compute_host *h, struct ctx *c, uuid volume, uuid snapshot);
/* Begins a dirty bitmap now. */
RESULT libvirt_begin_track(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str target,
			   struct str name);
/* Whether the running domain's disk has this bitmap in a consistent state, so that an incremental cut is
 * possible. */
RESULT libvirt_check_track(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str target,
			   struct str name, bool *ret_is_good);
struct track_set { /* snapshots */
	uuid volume;
	uuid keep;     /* none: none */
	uuid known[2]; /* names to drop besides those that the host's domains have */
};
/* Drops all other bitmaps of a disk. The running domain must have no copy job on it. */
RESULT libvirt_drop_tracks(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str target,
			   const struct track_set *set);

/* ---- copy.c, snapshot_copy.c */

/* Finds the disk's target name in the running domain by its file. ERR_AGAIN: it no longer has the disk. */
RESULT libvirt_find_target(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str path,
			   struct str *ret_target);

/* Implements drivers/disk.h. */
RESULT libvirt_pull(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy);
/* Implements drivers/disk.h. */
RESULT libvirt_push(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy);
/* Implements drivers/disk.h. */
RESULT libvirt_cut(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
		   struct disk_cut_seen *ret_seen);
/* Copies a file that nobody writes to into a cut's file; returns when it is complete. */
RESULT libvirt_copy_resting(struct compute_host *h, struct ctx *c, virStorageVolPtr source, int64_t size,
			    struct str file);
/* Ends the job that writes the cut, if there is one: ERR_AGAIN until it has ended. */
RESULT libvirt_end_cut(struct disk_host *h, struct ctx *c, uuid snapshot);
/* Replaces a file of the pool by the local one. */
RESULT libvirt_send_file(struct compute_host *h, struct ctx *c, struct str file, enum disk_kind kind, int fd);
/* Reads a pool file's length. */
RESULT libvirt_find_file_size(struct compute_host *h, struct ctx *c, virStorageVolPtr v, int64_t *ret_size);

/* ---- console.c */

/* Implements drivers/compute.h. */
RESULT libvirt_read_console(struct compute_host *h, struct ctx *c, uuid id, size_t max, struct str *ret_text,
			    int64_t *ret_at_us);
/* Reads part of a volume's file into c's arena; shorter at the end of the file. */
RESULT libvirt_download(struct compute_host *h, struct ctx *c, virStorageVolPtr v, int64_t from, size_t size,
			struct str *ret_bytes);
/* Overwrites a volume's file of the same length. */
RESULT libvirt_upload(struct compute_host *h, struct ctx *c, virStorageVolPtr v, struct str bytes);
/* Deletes an instance's log. */
RESULT libvirt_delete_console(struct compute_host *h, struct ctx *c, uuid id);

/* ---- variables.c, variable_store.c */

/* Implements drivers/compute.h. */
RESULT libvirt_read_variables(struct compute_host *h, struct ctx *c, uuid id,
			      struct firmware_variables *ret_variables);
/* Creates the variables' file for a guest that is off. */
RESULT libvirt_give_variables(struct compute_host *h, struct ctx *c, const struct domain_place *place,
			      const struct compute_domain *wish);
/* Finds the path of a domain's file (empty: none), and deletes such a file of a domain that doesn't exist
 * (any more, or yet). Absent: OK. */
RESULT libvirt_find_variables(struct compute_host *h, struct ctx *c, uuid id, struct str *ret_path);
RESULT libvirt_drop_variables(struct compute_host *h, struct ctx *c, struct str path);
/* Parses a flash file; the result points into it. Errors as above. Pure. */
RESULT libvirt_parse_variables(struct ctx *c, struct str file, struct firmware_variables *ret_variables);
/* Returns the flash file with exactly these variables. ERR_CAPACITY: its store is too small. Other errors as
 * above. Pure. */
RESULT libvirt_replace_variables(struct ctx *c, struct str file, const struct firmware_variables *variables,
				 struct str *ret_file);

/* ---- console_open.c */

/* Implements drivers/compute.h. */
RESULT libvirt_open_console(struct compute_host *h, struct ctx *c, uuid id, enum console console,
			    int *ret_fd);

/* ---- screen.c */

/* Implements drivers/compute.h. */
RESULT libvirt_read_stats(struct compute_host *h, struct ctx *c, uuid id, struct compute_stats *ret_stats);
RESULT libvirt_read_usages(struct compute_host *h, struct ctx *c, struct compute_usages *ret_usages);
RESULT libvirt_draw_screen(struct compute_host *h, struct ctx *c, uuid id, bool wake,
			   struct picture **ret_picture);

/* ---- drive.c */

/* Recreates an instance's config drive. */
RESULT libvirt_make_drive(struct compute_host *h, struct ctx *c, uuid id, const struct compute_files *files);
/* Likewise, with this content. */
RESULT libvirt_make_drive_of(struct compute_host *h, struct ctx *c, uuid id, struct str bytes);
RESULT libvirt_delete_drive(struct compute_host *h, struct ctx *c, uuid id);

/* ---- probe.c, kvm.c */

/* Implements drivers/compute.h. */
RESULT libvirt_probe(struct compute_host *h, struct ctx *c, struct compute_facts *ret_facts);
/* Decides whether guests on this host use KVM; proven at most once per connection. */
RESULT libvirt_need_virt(struct compute_host *h, struct ctx *c);
/* Finds or creates the marker of the host's current boot. */
RESULT libvirt_find_boot_id(struct compute_host *h, struct ctx *c);

/* ---- processor.c: what guests' processors and machines can be */

/* Reads them once per connection. */
RESULT libvirt_need_processor(struct compute_host *h, struct ctx *c);
/* Writes a definition's <cpu>; cpu: as in struct compute_domain. hides_hypervisor: the guest must not detect
 * a hypervisor. */
void libvirt_write_processor(struct buf *b, enum host_seen_virt virt, struct str cpu, bool hides_hypervisor);
/* Checks that another host supports a running guest's processor and machine. ERR_UNSUPPORTED with a
 * message. */
RESULT libvirt_check_processor(struct compute_host *h, struct ctx *c, virDomainPtr d,
			       struct compute_host *to);

/* ---- xml_read.c: reading libvirt's XML */

struct xml_tree; /* a parsed document */
/* Free with xml_tree_free(). ERR_IO: not XML. */
RESULT xml_tree_parse(struct ctx *c, struct str text, struct xml_tree **ret_tree);
void xml_tree_free(struct xml_tree *t);
DEFINE_AUTO(xml_tree)
/* Text of the first node that the XPath expression finds, in c's arena; empty: none. Prefix "d" is bound to
 * our metadata's namespace. */
struct str xml_tree_find(struct ctx *c, struct xml_tree *t, const char *xpath);
/* Likewise of all nodes, in document order. */
RESULT xml_tree_list(struct ctx *c, struct xml_tree *t, const char *xpath, struct strs *ret_texts);
/* The first node found, as XML, in c's arena; empty: none. */
struct str xml_tree_write(struct ctx *c, struct xml_tree *t, const char *xpath);

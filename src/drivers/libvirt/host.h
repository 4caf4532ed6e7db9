/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/libvirt: one connection to one host, and what its files share. Names on a
 * host begin with "dari-<first 8 digits of the region>-", so that two regions, or a region and
 * anything else, can live side by side.
 *
 * Threads: everything runs on the host's actor, but the callbacks, which libvirt calls on its
 * event thread; those touch only what `lock` guards and never call libvirt. */
#pragma once

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "drivers/ceph.h"
#include "drivers/compute.h"
#include "drivers/disk.h"
#include "model/host.h"
#include "model/instance.h"

enum { REGION_TEXT_SIZE = 9, BOOT_ID_SIZE = 17 };

enum { HOST_EVENTS = 3 }; /* lifecycle, a device is gone, a device stays */

struct compute_host {
	virConnectPtr conn;
	uuid region;
	char region_text[REGION_TEXT_SIZE];
	char *name, *uri;                 /* owned */
	char *own_path;                   /* owned; of the host's own directory, without a slash at its end */
	char *pool_path;                  /* owned; of the one whose files the calls concern: disk_enter() */
	virStoragePoolPtr pool, consoles; /* of pool_path, below own_path; NULL until libvirt_need_pools() */
	enum host_seen_virt virt;         /* unknown until libvirt_need_virt() */
	char *virt_reason;                /* owned; NULL: none */
	char *model; /* of processors, that its row names for guests; owned; empty: none */
	/* Facts that libvirt_need_processor() found, as in struct compute_facts; owned; cpu NULL: not yet. */
	char *cpu, *named_cpu, *machine, *machines;
	char boot_id[BOOT_ID_SIZE];
	int event_ids[HOST_EVENTS]; /* of the callbacks for domains; -1: none */
	_Atomic bool is_gone;       /* set by the close callback and by the first call that finds out */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t ended; /* the KVM proof's end */
	int refs;             /* the owner's and one for each callback that libvirt holds */
	void (*changed)(void *arg, uuid id);
	void *changed_arg;
	uuid proof;         /* the proof's domain while it runs */
	int proof_detail;   /* virDomainEventStoppedDetailType once it ended; -1 before */
	uuid *host_stopped; /* domains whose QEMU was told to end by the host, not by the guest */
	size_t host_stopped_count;
};

/* drivers/disk.h's connection: one more of the same kind, which no events of domains come to. */
struct disk_host {
	struct compute_host *on; /* owned */
	void (*asks)(void *arg, uuid guest);
	void *asks_arg;
	/* The backup jobs that were begun, or seen at work, through this connection and whose end was not
	 * judged yet: at most one per domain. */
	struct cut_job {
		uuid snapshot, domain;
		uuid since;      /* it copies what was written since that one's cut; none: all */
		bool is_tracked; /* and began to note what is written */
	} * jobs;                /* owned */
	size_t job_count;
};

/* Handles dropped at the end of the scope. */
void libvirt_autodrop_domain(virDomainPtr *d);
void libvirt_autodrop_pool(virStoragePoolPtr *p);
void libvirt_autodrop_volume(virStorageVolPtr *v);
void libvirt_autofree_text(char **text);
#define AUTO_DOMAIN __attribute__((cleanup(libvirt_autodrop_domain))) virDomainPtr
#define AUTO_POOL __attribute__((cleanup(libvirt_autodrop_pool))) virStoragePoolPtr
#define AUTO_VOLUME __attribute__((cleanup(libvirt_autodrop_volume))) virStorageVolPtr
#define AUTO_TEXT __attribute__((cleanup(libvirt_autofree_text))) char *

/* ---- error.c */

/* Turns libvirt's last error on this thread into words and a kind: "what: libvirt's message".
 * ERR_GONE, and the host marked so, when the connection is dead. */
RESULT libvirt_fail(struct compute_host *h, struct ctx *c, const char *what, ...)
	__attribute__((format(printf, 3, 4)));
/* libvirt's last error is this one. */
bool libvirt_error_is(int code);
/* ERR_GONE at once on a connection that was lost. First line of every call. */
RESULT libvirt_check_alive(struct compute_host *h, struct ctx *c);

/* ---- connection.c */

/* with_events: of domains. */
RESULT libvirt_connect(struct ctx *c, uuid region, const struct host *host, bool with_events,
		       struct compute_host **ret_host);
/* A connection to the host's address, with keep-alive, that is nobody's yet. ERR_GONE. */
RESULT libvirt_connect_again(struct compute_host *h, struct ctx *c, virConnectPtr *ret_conn);
/* Returns when the event thread is out of every callback that was removed before, and has let go of what it
 * held for them: libvirt's loop does that later, in the order of removal. Not on the event thread. */
void libvirt_pass_events(void);
/* Once the caller has dropped all else that is of the connection. The last reference is the caller's then:
 * dropped by the event thread, a connection asks its host for leave and waits there, which nobody could end.
 */
void libvirt_close_connection(virConnectPtr conn);
/* Of drivers/compute.h. */
RESULT libvirt_open_host(void *self, struct ctx *c, uuid region, const struct host *host,
			 struct compute_host **ret_host);
void libvirt_close_host(struct compute_host *h);
void libvirt_watch(struct compute_host *h, void (*changed)(void *arg, uuid id), void *arg);

/* ---- opener.c: virConnectOpen() and reaching a host, with a deadline */

/* ERR_GONE when the host does not answer until deadline_us (monotonic). */
RESULT libvirt_open_connection(struct ctx *c, const char *uri, int64_t deadline_us, virConnectPtr *ret_conn);
/* ERR_GONE when the address in uri does not accept a connection until deadline_us (monotonic). */
RESULT libvirt_reach(struct ctx *c, const char *uri, int64_t deadline_us);
/* The address is a unix socket of this machine's. */
bool libvirt_is_local(struct ctx *c, const char *uri);
/* Waits on a condition until deadline_us, or at most a second; a frozen test clock does not hold it. */
void libvirt_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_us);

/* ---- domain_xml.c: pure */

struct domain_place { /* what a domain's definition depends on besides its wish */
	uuid region;
	struct str pool_path;
	enum host_seen_virt virt;
	struct str variables; /* digest of what its UEFI's variables began with, hex; empty: libvirt's own */
};
static const size_t DEVICE_XML_CAP = 4 << 10;
#define DOMAIN_XMLNS "urn:dari:instance:1"
enum { DOMAIN_DIGEST_SIZE = 65 };

/* ret_xml: in c's arena. ret_digest: hex; equal for equal wishes on equal places. */
RESULT libvirt_write_domain(struct ctx *c, const struct domain_place *place,
			    const struct compute_domain *wish, struct str *ret_xml,
			    char ret_digest[static DOMAIN_DIGEST_SIZE]);
/* File names below the pool's directory, in a's arena. */
struct str libvirt_volume_name(struct arena *a, uuid region, uuid volume, bool is_raw);
struct str libvirt_disk_name(struct arena *a, uuid region, const struct disk_name *name);
/* What a file is, by its name; false: none of this region's. The digest lies in name. */
bool libvirt_parse_disk_name(const char *region_text, struct str name, struct disk_name *ret_name);
struct str libvirt_drive_name(struct arena *a, uuid region, uuid instance);
struct str libvirt_console_name(struct arena *a, uuid region, uuid instance);
void libvirt_write_region(uuid region, char out[static REGION_TEXT_SIZE]);
/* A domain that has nothing but the firmware of such hardware. */
RESULT libvirt_write_firmware_domain(struct ctx *c, const struct domain_place *place,
				     const struct compute_hardware *hw, struct str *ret_xml);

/* ---- device_xml.c: pure */

#define DEVICE_ALIAS "ua-" /* libvirt leaves aliases alone that begin so */

/* The root ports that disks and NICs are plugged into; with_drive: and the one of the drive. */
void libvirt_write_slots(struct buf *b, bool with_drive);
/* medium NULL: the drive is empty. */
RESULT libvirt_write_cdrom(struct ctx *c, struct buf *b, const struct domain_place *place,
			   const struct compute_hardware *hw, const struct compute_disk *medium);
RESULT libvirt_write_drive(struct ctx *c, struct buf *b, const struct domain_place *place,
			   const struct compute_domain *w);
/* A disk's file, with what it stands on where that has to be said. */
RESULT libvirt_write_source(struct ctx *c, struct buf *b, const struct domain_place *place,
			    const struct compute_disk *d);
/* The type of its <disk>, which NULL, an empty drive, has too; and of its driver. */
const char *libvirt_source_type(const struct compute_disk *d);
const char *libvirt_format(const struct compute_disk *d);
RESULT libvirt_write_disk(struct ctx *c, struct buf *b, const struct domain_place *place,
			  const struct compute_hardware *hw, const struct compute_disk *d);
void libvirt_write_nic(struct buf *b, const struct domain_place *place, const struct compute_hardware *hw,
		       const struct compute_nic *n);

/* ---- devices.c */

struct xml_tree; /* a parsed document: read.c */

struct domain_devices { /* disks by their files or images, NICs by their alias; in the context's arena */
	struct uuids volumes, ports;
	uuid medium;         /* which of the volumes lies in the CD-ROM drive; none: none */
	struct uuids unlike; /* those of the volumes whose limits are not the wish's */
	unsigned nic_slots;  /* a bit for each slot whose place on the bus a NIC has */
};
/* What the running guest has, or the definition. */
RESULT libvirt_read_devices(struct compute_host *h, struct ctx *c, virDomainPtr domain, bool is_running,
			    const struct compute_domain *wish, struct domain_devices *ret_devices);
/* Plugs into a running domain what it lacks, asks the guest to let go of what is not wished: of what was in
 * its definition until now, and of all if the wish asks again. */
RESULT libvirt_plug_devices(struct compute_host *h, struct ctx *c, virDomainPtr domain,
			    const struct domain_place *place, const struct compute_domain *wish,
			    const struct domain_devices *until_now);

/* ---- swap.c */

/* Of drivers/compute.h. */
RESULT libvirt_swap(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish, bool begins,
		    enum compute_swap_stage *ret_stage);
RESULT libvirt_end_swap(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish);

/* ---- limits.c */

/* As <iotune>; nothing where there are none. */
void libvirt_write_limits(struct buf *b, const struct disk_limits *limits);
/* Whether a domain's XML holds that disk to the limits of its wish. */
bool libvirt_has_limits(struct ctx *c, struct xml_tree *t, const struct compute_disk *d);
/* Of a running domain; path: the disk's file. */
RESULT libvirt_set_limits(struct compute_host *h, struct ctx *c, virDomainPtr domain, struct str path,
			  const struct disk_limits *limits);

/* ---- domain.c */

/* Of drivers/compute.h. */
RESULT libvirt_see(struct compute_host *h, struct ctx *c, const struct compute_domain *wish,
		   struct compute_seen *ret_seen);
RESULT libvirt_define(struct compute_host *h, struct ctx *c, const struct compute_domain *domain);
RESULT libvirt_set_power(struct compute_host *h, struct ctx *c, uuid id, enum compute_power power);
RESULT libvirt_undefine(struct compute_host *h, struct ctx *c, uuid id);
/* What a domain says it is: its region and id in our metadata. False: not ours, of no region. */
struct domain_mark {
	uuid region, id;
	struct str wish;      /* digest of the definition; in c's arena, as the others */
	struct str variables; /* as in struct domain_place */
	struct str manifest;
};
RESULT libvirt_read_mark(struct compute_host *h, struct ctx *c, virDomainPtr domain,
			 struct domain_mark *ret_mark, bool *ret_found);
/* NULL when there is no such domain. ERR_CONFLICT when there is one that is not this region's.
 * ret_mark may be NULL. */
RESULT libvirt_find_domain(struct compute_host *h, struct ctx *c, uuid id, virDomainPtr *ret_domain,
			   struct domain_mark *ret_mark);
/* ERR_IO in words while another call waits for its QEMU already: libvirt would keep this one as long as that.
 */
RESULT libvirt_check_answers(struct compute_host *h, struct ctx *c, virDomainPtr d);
/* Of a host that answers, and that answers itself. ERR_STATE: it is absent or off. */
RESULT libvirt_find_running(struct compute_host *h, struct ctx *c, uuid id, virDomainPtr *ret_domain);
enum instance_seen_power libvirt_power_of(int state);

/* ---- journey.c */

/* Of drivers/compute.h. */
RESULT libvirt_see_end(struct compute_host *h, struct ctx *c, uuid id, struct compute_end_seen *ret_seen);
RESULT libvirt_send(struct compute_host *h, struct ctx *c, struct compute_journey *journey);

/* ---- inventory.c */

/* Of drivers/compute.h. */
RESULT libvirt_list(struct compute_host *h, struct ctx *c, struct compute_inventory *ret_inventory);
/* Of drivers/disk.h. */
RESULT libvirt_list_disks(struct disk_host *h, struct ctx *c, struct disk_inventory *ret_inventory);
/* A file's name, of its path. */
struct str libvirt_name_in(struct str path);
/* Whether anything on the host, ours or not, stands on that file or has it as a disk. ERR_AGAIN when
 * not all could be looked at. */
RESULT libvirt_check_base_is_free(struct compute_host *h, struct ctx *c, struct str name);
/* The running domain that has the file as a disk, or NULL. */
RESULT libvirt_find_user_of(struct compute_host *h, struct ctx *c, struct str path, virDomainPtr *ret_domain);
/* All of them, in c's arena. */
RESULT libvirt_list_users_of(struct compute_host *h, struct ctx *c, struct str path, struct uuids *ret_users);

/* ---- pool.c */

struct xml_tree;

/* Makes and starts our pools if need be: disks in pool_path, console logs in own_path/console. */
RESULT libvirt_need_pools(struct compute_host *h, struct ctx *c);
/* Of drivers/disk.h. */
RESULT libvirt_enter(struct disk_host *h, struct ctx *c, struct str directory);
RESULT libvirt_prove(struct disk_host *h, struct ctx *c, const struct disk_mark *own, struct str kept_word,
		     struct disk_marks *ret_marks);
/* A disk's directory. */
struct str libvirt_directory_of(const struct compute_host *h, const struct compute_disk *d);
/* The file system that the disks lie on: how large it is now, and what is left. */
RESULT libvirt_find_room(struct compute_host *h, struct ctx *c, int64_t *ret_size, int64_t *ret_free);
/* ERR_CAPACITY in words when it is full. */
RESULT libvirt_check_room(struct compute_host *h, struct ctx *c);
/* ERR_CAPACITY in words when so many bytes more would fill it, which would hold the guests there. */
RESULT libvirt_need_room(struct compute_host *h, struct ctx *c, int64_t more);
/* Of what failed: that the pool is full, if it is; else r. */
RESULT libvirt_blame_room(struct compute_host *h, struct ctx *c, struct result r);
/* NULL when there is none. */
RESULT libvirt_find_volume(struct compute_host *h, struct ctx *c, virStoragePoolPtr pool, struct str name,
			   virStorageVolPtr *ret_volume);
/* When it fails, the pool is read anew: a file that libvirt did not know of may be in the way, and
 * the next try will find it. */
RESULT libvirt_create_volume(struct compute_host *h, struct ctx *c, struct str xml, struct str name,
			     virStorageVolPtr *ret_volume);
/* A file's length in bytes, from its volume's XML. */
RESULT libvirt_read_length(struct ctx *c, struct xml_tree *t, int64_t *ret_size);
/* Absent: OK. */
RESULT libvirt_delete_volume(struct compute_host *h, struct ctx *c, virStoragePoolPtr pool, struct str name);

/* ---- disk.c */

/* What a pool's file says of itself. */
struct disk_file {
	struct str path, format, backing;
	int64_t size, file_size; /* as the guest sees it; bytes of the file */
	bool is_encrypted;
};
RESULT libvirt_read_disk(struct compute_host *h, struct ctx *c, virStorageVolPtr v,
			 struct disk_file *ret_file);
/* qcow2; backing: the name of a file beside it; empty: none. key: as in drivers/disk.h. */
RESULT libvirt_create_disk(struct compute_host *h, struct ctx *c, struct str name, int64_t size,
			   struct str backing, const struct disk_key *key);

/* Reads the pool, if libvirt does not know yet that the file is one of qcow2. ERR_CONFLICT: it is none. */
RESULT libvirt_read_format(struct compute_host *h, struct ctx *c, virStorageVolPtr v, struct disk_file *file);
/* Whether the file that the disk is to be made of is whole. */
RESULT libvirt_has_base(struct compute_host *h, struct ctx *c, const struct disk_spec *w, struct str name,
			bool *ret_has);
struct result libvirt_fail_missing(struct compute_host *h, struct ctx *c, uuid volume);

/* ---- raw.c: disks that several guests have */

/* Of drivers/disk.h, as the next: of a disk that is, or is to become, a plain image. */
RESULT libvirt_ensure_raw(struct disk_host *disks, struct ctx *c, const struct disk_spec *w,
			  struct disk_seen *ret_seen);
/* See above. file: of the cut. */
RESULT libvirt_cut_raw(struct disk_host *disks, struct ctx *c, const struct disk_cut *cut, struct str file,
		       struct disk_cut_seen *ret_seen);

/* ---- secret.c */

/* The host's libvirt has the volume's key until it is dropped, or libvirtd ends. Both may be repeated. */
RESULT libvirt_set_secret(struct compute_host *h, struct ctx *c, uuid volume, const struct disk_key *key);
RESULT libvirt_drop_secret(struct compute_host *h, struct ctx *c, uuid volume);
/* What the host needs to know to open a domain's disks: keys of volumes, and of pools of Ceph. These stay until
 * libvirtd ends. */
RESULT libvirt_set_secrets(struct compute_host *h, struct ctx *c, const struct compute_domain *domain);
/* Of drivers/compute.h. */
RESULT libvirt_trust_pool(struct compute_host *h, struct ctx *c, const struct ceph_place *place);

/* To the end of the scope a QEMU is asked; whose: its domain's. drivers/disk.h's watch() says so. */
struct asking {
	struct disk_host *h;
};
struct asking libvirt_ask(struct disk_host *h, uuid whose);
void libvirt_end_asking(struct asking *asking);
#define ASKING(h, whose)                                                                                     \
	__attribute__((cleanup(libvirt_end_asking))) struct asking asking_ = libvirt_ask((h), (whose));      \
	(void) asking_
/* Of a handle; asks nobody. */
uuid libvirt_id_of(virDomainPtr d);

/* ---- hold.c */

/* A disk that no guest has, as the disk of a running domain; what: the volume or the snapshot that
 * it is for. */
RESULT libvirt_hold_disk(struct disk_host *h, struct ctx *c, uuid what, const struct compute_disk *disk,
			 virDomainPtr *ret_domain);
/* Absent: OK. */
RESULT libvirt_release_disk(struct disk_host *h, struct ctx *c, uuid what);

/* ---- track.c: what a disk notes of its writes. target: the disk, as the domain calls it */

/* In c's arena. */
struct str libvirt_track_name(struct compute_host *h, struct ctx *c, uuid volume, uuid snapshot);
/* Whether the disk of a running domain has that one, unspoilt: it may be cut since then. */
RESULT libvirt_check_track(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str target,
			   struct str name, bool *ret_is_good);
struct track_set { /* snapshots */
	uuid volume;
	uuid keep;     /* none: none */
	uuid known[2]; /* of others, besides those that the host's domains know of */
};
/* Drops all others of a disk, of which a running domain makes no copy now. */
RESULT libvirt_drop_tracks(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str target,
			   const struct track_set *set);

/* ---- copy.c, cut.c */

/* The disk of that file, as the running domain calls it. ERR_AGAIN: it has it no more. */
RESULT libvirt_find_target(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str path,
			   struct str *ret_target);

/* Of drivers/disk.h, as the next two. */
RESULT libvirt_pull(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy);
/* See above. */
RESULT libvirt_push(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy);
/* See above. */
RESULT libvirt_cut(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
		   struct disk_cut_seen *ret_seen);
/* Copies a file that nobody writes into one of a cut; returns when it is whole. */
RESULT libvirt_copy_resting(struct compute_host *h, struct ctx *c, virStorageVolPtr source, int64_t size,
			    struct str file);
/* Ends the job that writes the cut, if one is under way: ERR_AGAIN until it has ended. */
RESULT libvirt_end_cut(struct disk_host *h, struct ctx *c, uuid snapshot);
/* Makes a file of the pool anew, as it is here. */
RESULT libvirt_send_file(struct compute_host *h, struct ctx *c, struct str file, enum disk_kind kind, int fd);
/* The length of a file in the pool. */
RESULT libvirt_find_file_size(struct compute_host *h, struct ctx *c, virStorageVolPtr v, int64_t *ret_size);

/* ---- console.c */

/* Of drivers/compute.h. */
RESULT libvirt_read_console(struct compute_host *h, struct ctx *c, uuid id, size_t max, struct str *ret_text,
			    int64_t *ret_at_us);
/* A part of a volume's file, into c's arena: less where the file ends before. */
RESULT libvirt_download(struct compute_host *h, struct ctx *c, virStorageVolPtr v, int64_t from, size_t size,
			struct str *ret_bytes);
/* All of a volume's file that is as long. */
RESULT libvirt_upload(struct compute_host *h, struct ctx *c, virStorageVolPtr v, struct str bytes);
/* Forgets an instance's log. */
RESULT libvirt_delete_console(struct compute_host *h, struct ctx *c, uuid id);

/* ---- variables.c, variable_store.c */

/* Of drivers/compute.h. */
RESULT libvirt_read_variables(struct compute_host *h, struct ctx *c, uuid id,
			      struct firmware_variables *ret_variables);
/* Makes the file of variables that a guest which is off is started with. */
RESULT libvirt_give_variables(struct compute_host *h, struct ctx *c, const struct domain_place *place,
			      const struct compute_domain *wish);
/* Where the file of a domain is that has one, else empty; and drops such a file of a domain that is not there
 * (any more, or yet). Absent: OK. */
RESULT libvirt_find_variables(struct compute_host *h, struct ctx *c, uuid id, struct str *ret_path);
RESULT libvirt_drop_variables(struct compute_host *h, struct ctx *c, struct str path);
/* Of a flash file, whose bytes they point into; errors as there. Pure. */
RESULT libvirt_parse_variables(struct ctx *c, struct str file, struct firmware_variables *ret_variables);
/* The flash file with these variables and no others. ERR_CAPACITY: its store is too small. Errors else as
 * there. Pure. */
RESULT libvirt_replace_variables(struct ctx *c, struct str file, const struct firmware_variables *variables,
				 struct str *ret_file);

/* ---- console_open.c */

/* Of drivers/compute.h. */
RESULT libvirt_open_console(struct compute_host *h, struct ctx *c, uuid id, enum console console,
			    int *ret_fd);

/* ---- screen.c */

/* Of drivers/compute.h. */
RESULT libvirt_read_stats(struct compute_host *h, struct ctx *c, uuid id, struct compute_stats *ret_stats);
RESULT libvirt_read_usages(struct compute_host *h, struct ctx *c, struct compute_usages *ret_usages);
RESULT libvirt_draw_screen(struct compute_host *h, struct ctx *c, uuid id, bool wake,
			   struct picture **ret_picture);

/* ---- drive.c */

/* Makes an instance's drive anew. */
RESULT libvirt_make_drive(struct compute_host *h, struct ctx *c, uuid id, const struct compute_files *files);
/* Likewise, of that content. */
RESULT libvirt_make_drive_of(struct compute_host *h, struct ctx *c, uuid id, struct str bytes);
RESULT libvirt_delete_drive(struct compute_host *h, struct ctx *c, uuid id);

/* ---- probe.c, kvm.c */

/* Of drivers/compute.h. */
RESULT libvirt_probe(struct compute_host *h, struct ctx *c, struct compute_facts *ret_facts);
/* Decides whether guests here run under KVM; proven at most once per connection. */
RESULT libvirt_need_virt(struct compute_host *h, struct ctx *c);
/* Remembered on the host until it is booted again. */
RESULT libvirt_find_boot_id(struct compute_host *h, struct ctx *c);

/* ---- processor.c: what guests' processors and machines can be */

/* Finds it once per connection. */
RESULT libvirt_need_processor(struct compute_host *h, struct ctx *c);
/* The element <cpu> of a definition; cpu: as in struct compute_domain. hides_hypervisor: the guest is not to see that it has one. */
void libvirt_write_processor(struct buf *b, enum host_seen_virt virt, struct str cpu, bool hides_hypervisor);
/* Whether a running guest's processor and machine can be had on another host. ERR_UNSUPPORTED, in words. */
RESULT libvirt_check_processor(struct compute_host *h, struct ctx *c, virDomainPtr d,
			       struct compute_host *to);

/* ---- read.c: reading libvirt's XML */

struct xml_tree; /* a parsed document */
/* To be freed with xml_tree_free(). ERR_IO when it is no XML. */
RESULT xml_tree_parse(struct ctx *c, struct str text, struct xml_tree **ret_tree);
void xml_tree_free(struct xml_tree *t);
DEFINE_AUTO(xml_tree)
/* Text of the first node that the XPath expression finds, in c's arena; empty when none does.
 * Prefix "d" is bound to our metadata's namespace. */
struct str xml_tree_find(struct ctx *c, struct xml_tree *t, const char *xpath);
/* Likewise of all nodes, in document order. */
RESULT xml_tree_list(struct ctx *c, struct xml_tree *t, const char *xpath, struct strs *ret_texts);
/* The first node that the expression finds, as XML, in c's arena; empty when it finds none. */
struct str xml_tree_write(struct ctx *c, struct xml_tree *t, const char *xpath);

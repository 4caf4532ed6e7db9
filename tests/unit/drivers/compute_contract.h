/* SPDX-License-Identifier: Apache-2.0
 * The contracts of drivers/compute.h and drivers/disk.h as tests for all drivers: the simulated one in
 * test_compute_sim.c, libvirt's in test_compute_libvirt.c. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/ceph.h"
#include "drivers/compute.h"
#include "drivers/disk.h"
#include "model/host.h"

/* The host under test, and what only its kind of test can do to it. */
struct compute_subject {
	const struct compute_driver *driver;
	const struct disk_driver *disks;
	/* Opens the disks' pool if it is not the host's own; NULL: disks opens it. */
	struct result (*open_pool)(struct ctx *c, uuid region, struct disk_host **ret_pool);
	const struct ceph_place *ceph; /* of that pool */
	struct host host;
	struct str shared;                   /* a directory that the host might share with others */
	struct str directory;                /* that the disks lie in now; empty: the host's own */
	struct str image_sha256, image_path; /* the guest's image; empty sha: none */
	int64_t image_file_size;
	void (*lose_daemon)(void); /* the connection dies, guests go on, open works again */
	/* Writes a word (0 to 7) on the volume of the second disk, which a guest has, or that lies there,
	 * plain. */
	void (*write)(uuid instance, uuid volume, bool is_on, int word);
	/* True if a volume's snapshot, or a file made from it, contains the word. */
	bool (*has)(const char *path, const struct disk_key *key, int word);
	int64_t increment_most; /* the size that one of a word or two has at most; of word 0 it has more */
	void (*end_guest)(struct compute_host *h, uuid id, enum compute_off why);
};
extern struct compute_subject subject;

int compute_contract_run(void);
void test_replaced_writer(void **state);       /* a case of the compute contract, in writer_contract.c */
void test_disks_of_other_region(void **state); /* a case of drivers/disk.h's, in compute_contract.c */
int disk_contract_run(void);                   /* drivers/disk.h's, in disk_contract.c */
int shared_contract_run(void); /* in shared_contract.c, run by the former with a subject.directory */
/* The tests for pools that belong to no host. with_guests: the host can reach the pool; otherwise the driver
 * only has to open and close hosts. */
int disk_contract_run_pool(bool with_guests);

/* ---- for further cases of one driver */

struct scene {
	struct arena *arena;
	struct ctx c;
	struct compute_host *h;
	struct disk_host *pool;
	struct compute_disk disks[2];
	struct disk_spec files[2]; /* of disks */
	struct compute_nic nics[2];
	struct compute_domain wish;
};
struct result scene_open_pool(struct ctx *c, uuid region, struct disk_host **ret_pool);
/* Opens the host; a wish with a root disk of the image and one NIC, fresh ids. */
struct scene scene_open(void);
void scene_close(struct scene *s);
void scene_make_on(struct scene *s); /* root disk, defined, on: enough where nobody asks the guest itself */
/* The same with nothing on its disk to boot, so that QEMU has nothing to emulate. */
void scene_make_blank_on(struct scene *s);
void scene_make_still(
	struct scene *s); /* with its image, but paused before it boots: for what its disk holds */
void scene_await_console(struct scene *s, const char *words);
void scene_boot(struct scene *s); /* and booted, as far as the console tells */
/* Boots until the first words of the guest's init, which came from its root disk: what follows takes a third more. */
void scene_reach_init(struct scene *s);
/* Makes the file, sending what it stands on; its size then. */
int64_t scene_make_disk(struct scene *s, const struct disk_spec *wish);
void scene_delete_disk(struct scene *s, uuid volume);
/* NULL: the pool does not have it. */
const struct disk_item *scene_find_disk(struct scene *s, enum disk_kind kind, uuid id);
void scene_clear(struct scene *s); /* removes everything */
struct compute_seen scene_see(struct scene *s);
/* Looks until it is off; fails the test after 40 s. */
struct compute_seen scene_await_off(struct scene *s);
void scene_reopen(struct scene *s);
/* Fails the test with the context's words. */
void scene_check(struct scene *s, struct result r, enum err expected, const char *what, int line);
#define EXPECT(s, err, call) scene_check((s), (call), (err), #call, __LINE__)
/* Asks again as long as that is the answer (ERR_AGAIN), as the reconciler does, for five minutes. */
#define EXPECT_SOON(s, call)                                                                                 \
	do {                                                                                                 \
		struct result soon_ = (call);                                                                \
		for (int tries_ = 0; tries_ < 3000 && soon_.code == ERR_AGAIN; tries_++) {                   \
			ctx_clear_problem(&(s)->c);                                                          \
			contract_rest_ms(100);                                                               \
			soon_ = (call);                                                                      \
		}                                                                                            \
		scene_check((s), soon_, ERR_NONE, #call, __LINE__);                                          \
	} while (0)
uuid contract_region(void);
void contract_rest_ms(int ms);

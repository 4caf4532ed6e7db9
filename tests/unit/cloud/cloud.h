/* SPDX-License-Identifier: Apache-2.0
 * A whole region in one process, stepped in one thread: SQLite in a file, engine, reconciler,
 * simulated hosts and network, a frozen clock, and a seed that decides who runs next. It can be
 * killed between any two steps and started again on the same database; the simulated hosts and
 * network, being other machines, stay as they are. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fault.h"
#include "drivers/backup_store.h"
#include "drivers/sim/compute.h"
#include "drivers/sim/network.h"
#include "engine/condition.h"
#include "engine/engine.h"
#include "engine/instance/instance.h"
#include "engine/network/address/address.h"
#include "engine/network/external_network.h"
#include "engine/network/filter/security_group.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/router.h"
#include "engine/network/subnet.h"
#include "engine/people/account/account.h"
#include "engine/region/host.h"
#include "engine/region/region.h"
#include "engine/storage/image/image.h"
#include "engine/storage/volume/volume.h"
#include "model/instance.h"
#include "model/port.h"
#include "model/states.h"
#include "reconcile/reconcile.h"

enum { CLOUD_HOSTS_MAX = 8 };
#define CLOUD_GIB (INT64_C(1) << 30)
#define CLOUD_HOST_INTERVAL_US (20 * SECOND)
/* Long enough that the periodic resync does not hide a missing wake-up. Tests that need a resync wait for
 * it. */
#define CLOUD_RESYNC_US (30 * MINUTE)
#define CLOUD_GRACE_US (30 * SECOND)
/* In which everything is looked at once. */
#define CLOUD_QUIET_US (CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US)

struct cloud_sql; /* the database, with a switch that cuts it off */

struct cloud {
	struct arena *arena;
	struct ctx c; /* the last call's context, with its problem */
	uint64_t seed;
	char directory[64], path[80], backups[80];
	struct backup_target backup;
	struct executor *executor;
	struct store *store;
	struct cloud_sql *sql;
	struct network_handle network;
	struct reconciler *reconciler;
	reconcile_read_fleet *read_fleet; /* set before a restart; NULL: fleets launch nothing */
	reconcile_read_scaling *read_scaling,
		*read_scale_set; /* likewise, of scaling groups and scale sets */
	uint64_t steps;          /* run since cloud_new() */
	uint64_t kill_at;        /* it is killed after that many; 0: never */
	struct identity alice;
	uuid router, image, external_network, hosts[CLOUD_HOSTS_MAX];
	size_t host_count;
};

/* A region of one zone with that many hosts (h0, h1, …), an account with its default VPC, a way out
 * and an image; settled. */
struct cloud *cloud_new(uint64_t seed, size_t hosts);
/* The directory that clouds make theirs in: what the environment says, else one in memory. */
#define CLOUD_SCRATCH "DARI_TEST_SCRATCH"
const char *cloud_scratch(void);
/* Only the database, the network and the reconciler: no region's content but its id. */
struct cloud *cloud_new_empty(uint64_t seed);
/* Checks all that has to hold in the end (see cloud_check) and takes everything down. */
void cloud_done(struct cloud *c);
void cloud_free(struct cloud *c); /* without looking */

/* Refuses all further commits. Queued ones are answered with the refusal while the subjects of their
 * operations still exist. */
void cloud_cut(struct cloud *c);
/* Ends the process as kill -9 would: what is queued is lost. Whoever steps to kill_at does it. */
void cloud_kill(struct cloud *c);
bool cloud_was_killed(const struct cloud *c);
/* The next commit is the process's last deed: the database has it (or not), and whoever steps has
 * to kill it before anything else runs. */
void cloud_die_at_commit(struct cloud *c, bool has_it);
bool cloud_is_dying(const struct cloud *c);
/* Starts on the database; after cloud_kill(), or ending in order before. */
void cloud_restart(struct cloud *c);
/* After cloud_kill(): on a new database, with the same hosts added; another region, then. */
void cloud_start_empty(struct cloud *c);
/* The database's file to and from a copy, while it is down. */
void cloud_copy_database(struct cloud *c, const char *from, const char *to);

/* Runs an operation as that identity (NULL: the system), stepping until it is answered. After a
 * kill: ERR_GONE. */
RESULT cloud_call(struct cloud *c, const struct identity *who, op_run run, void *wish);
#define cloud_ok(c, who, operation, wish)                                                                    \
	cloud_expect_at((c), cloud_call((c), (who), operation##_run, (wish)), __FILE__, __LINE__)
void cloud_expect_at(struct cloud *c, struct result result, const char *file, int line);

/* The master key of each region. */
extern const uint8_t cloud_master_key[];
/* Seals a secret with that key, bound to the name `of`; in the cloud's arena. */
struct str cloud_seal(struct cloud *c, struct str of, struct str secret);

typedef bool (*cloud_condition)(struct cloud *c, const void *arg);
/* False when it did not come about within that time, or at the kill. */
bool cloud_step_until(struct cloud *c, cloud_condition condition, const void *arg, int64_t limit_us);
void cloud_step_for(struct cloud *c, int64_t us);

/* Conditions. Settled: nothing is on its way, and every row was brought about. */
bool cloud_is_settled(struct cloud *c, const void *unused);
struct cloud_state {
	uuid instance;
	enum instance_state state;
};
bool cloud_is_in_state(struct cloud *c, const void *cloud_state);
bool cloud_has_host_state(struct cloud *c, const void *host_state); /* any host: an enum host_seen_state */

/* Count of differences between rows, domains, disks and the network, which must be settled. Prints them. */
size_t cloud_count_leaks(struct cloud *c);
/* Settles; then: no leaks, looking at everything again changes nothing, memory equals SQL, the audit
 * is clean. */
void cloud_check(struct cloud *c);
/* The number of findings; they are printed unless as many were awaited. */
size_t cloud_audit(struct cloud *c, size_t awaited);

/* Looking. Ids of rows that are gone give zeroed answers. */
struct cloud_guest {
	bool exists, is_on, is_paused;
	int64_t boots;
};
struct cloud_guest cloud_guest(struct cloud *c, uuid instance);
enum instance_state cloud_state(struct cloud *c, uuid instance);
struct instance cloud_instance(struct cloud *c, uuid instance); /* texts are not to be looked at */
struct str cloud_host_of(struct cloud *c, uuid instance);       /* its name */
bool cloud_has_condition(struct cloud *c, uuid subject, const char *name);
struct port cloud_port(struct cloud *c, uuid port); /* likewise */
uuid cloud_volume_of(struct cloud *c, uuid instance);
struct cloud_disk {
	uuid zone, pool, host, seen_host, left_host, seen_instance;
};
struct cloud_disk cloud_disk(struct cloud *c, uuid volume); /* as its row says */
uuid cloud_port_of(struct cloud *c, uuid instance);
size_t cloud_count(struct cloud *c, enum kind kind);

/* Events outside of Dari's control: a disk disappears from its host, and returns; all objects with Dari's
 * mark and without a row are removed, and counted. */
void cloud_lose_disk(struct cloud *c, uuid volume);
void cloud_bring_disk(struct cloud *c, uuid volume);
size_t cloud_purge_strays(struct cloud *c);
void cloud_scrap_host(struct str host);                   /* forgets a dead host's state for good */
void cloud_bring_news(struct str host, uuid instance);    /* as if something had happened to it there */
void cloud_start_by_hand(struct cloud *c, uuid instance); /* as with virsh; no news of it */

/* Requests of users. */
struct ref cloud_ref(struct cloud *c, enum kind kind, uuid id);
struct instance_launch cloud_launch_wish(struct cloud *c, int64_t count);
uuid cloud_launch(struct cloud *c);         /* one; asserts that it was accepted */
uuid cloud_launch_running(struct cloud *c); /* and waits for it */
RESULT cloud_power(struct cloud *c, op_run run, uuid instance, bool force);
#define cloud_stop(c, id)                                                                                    \
	cloud_expect_at((c), cloud_power((c), engine_stop_instances_run, (id), false), __FILE__, __LINE__)
#define cloud_start(c, id)                                                                                   \
	cloud_expect_at((c), cloud_power((c), engine_start_instances_run, (id), false), __FILE__, __LINE__)
#define cloud_reboot(c, id)                                                                                  \
	cloud_expect_at((c), cloud_power((c), engine_reboot_instances_run, (id), false), __FILE__, __LINE__)
#define cloud_ask(c, operation, id)                                                                          \
	cloud_expect_at((c), cloud_power((c), operation##_run, (id), false), __FILE__, __LINE__)
#define cloud_terminate(c, id)                                                                               \
	cloud_expect_at((c), cloud_power((c), engine_terminate_instances_run, (id), false), __FILE__,        \
			__LINE__)
/* Waits, and fails the test when it does not come. */
#define cloud_await(c, id, state_) cloud_await_at((c), (id), (state_), __FILE__, __LINE__)
void cloud_await_at(struct cloud *c, uuid instance, enum instance_state state, const char *file, int line);
#define cloud_settle(c) cloud_settle_at((c), __FILE__, __LINE__)
void cloud_settle_at(struct cloud *c, const char *file, int line);

/* For stories that are repeated after a kill; false: the process died. Settling, and a call, which must
 * succeed unless the process dies in it. */
bool cloud_lived_to_settle(struct cloud *c);
#define cloud_was_answered(c, result) cloud_was_answered_at((c), (result), __FILE__, __LINE__)
bool cloud_was_answered_at(struct cloud *c, struct result result, const char *file, int line);

/* The seed to tell a story under after this one, beginning with 1: every seventh, or with CLOUD_ALL_SEEDS in the
 * environment, as `make test-all` has it, every one. */
uint64_t cloud_next_seed(uint64_t seed);
/* Tells the story under seeds of so many, each in a region of its own; cloud_done() checks what has to hold in
 * the end. */
void cloud_tell(void (*story)(struct cloud *c), size_t hosts, uint64_t seeds);
/* A test of a story, under the file's SEEDS. */
#define TEST_STORY(name, hosts)                                                                              \
	static void test_##name(void **state)                                                                \
	{                                                                                                    \
		(void) state;                                                                                \
		cloud_tell(name, hosts, SEEDS);                                                              \
	}

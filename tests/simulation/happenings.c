/* SPDX-License-Identifier: Apache-2.0
 * Random faults of guests, hosts, the network, the database, memory and the process. */
#include "base/clock.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/volume/volume_move.h"
#include "simulation.h"
#include "store/host.h"
#include "store/storage_pool.h"
#include "store/volume.h"

static struct str any_host(void)
{
	static const struct str names[HOSTS] = {{"h0", 2}, {"h1", 2}, {"h2", 2}};
	return names[random_below(HOSTS)];
}

static struct thing *any_instance(struct simulation *s)
{
	struct thing *picked = NULL;
	uint64_t count = 0;
	EACH (&s->model, t, KIND_INSTANCE)
		if (random_below(++count) == 0)
			picked = t;
	return picked;
}

/* ---- guests ---- */

static void end_guest(struct simulation *s)
{
	static const enum compute_off whys[] = {COMPUTE_OFF_GUEST, COMPUTE_OFF_CRASHED,
						COMPUTE_OFF_DESTROYED};
	struct thing *t = any_instance(s);
	enum compute_off why = whys[random_below(3)];
	if (!t)
		return;
	uuid id = region_find(&s->region, KIND_INSTANCE, t->id);
	struct str host = cloud_host_of(s->region.cloud, id);
	tell(s, "the guest %s goes off, reason %d", t->id, (int) why);
	t->is_restless = t->is_restless || why == COMPUTE_OFF_GUEST;
	t->may_vary = true;
	server_move(t);
	sim_compute_end_guest(host, id, why);
}

/* Without concurrent calls the result is certain. */
static void end_guest_in_peace(struct simulation *s)
{
	settle_and_compare(s);
	struct thing *t = any_instance(s);
	if (!t || t->life != LIVE || !t->wanted_on)
		return;
	uuid id = region_find(&s->region, KIND_INSTANCE, t->id);
	tell(s, "in peace the guest %s shuts itself down", t->id);
	sim_compute_end_guest(cloud_host_of(s->region.cloud, id), id, COMPUTE_OFF_GUEST);
	t->wanted_on = false;
	server_move(t);
	if (t->ends_itself)
		server_end(s, t);
	settle_and_compare(s);
}

static void lose_domain(struct simulation *s)
{
	struct thing *t = any_instance(s);
	if (!t)
		return;
	uuid id = region_find(&s->region, KIND_INSTANCE, t->id);
	tell(s, "the domain of %s is undefined by hand", t->id);
	t->may_vary = true;
	server_move(t);
	sim_compute_lose_domain(cloud_host_of(s->region.cloud, id), id);
}

/* ---- live migration ---- */

/* Any result is acceptable. */
static void migrate(struct simulation *s, const struct thing *t)
{
	uuid id = region_find(&s->region, KIND_INSTANCE, t->id);
	struct cloud *c = s->region.cloud;
	struct instance_migrating wish = {.instance = cloud_ref(c, KIND_INSTANCE, id)};
	enum sim_break how =
		random_below(2) ? SIM_BREAK_NONE : (enum sim_break) random_below(SIM_BREAK_CRASH);
	sim_compute_break_migration(cloud_host_of(c, id), how);
	struct result asked = cloud_call(c, NULL, engine_migrate_instance_run, &wish);
	tell(s, "%s goes to another host: %s, and that breaks as number %d", t->id, err_name(asked.code),
	     (int) how);
}

/* The guest must keep running with its data, even if the process dies meanwhile. */
static void migrate_in_peace(struct simulation *s)
{
	settle_and_compare(s);
	struct thing *t = any_instance(s);
	if (!t || t->life != LIVE)
		return;
	migrate(s, t);
	uint64_t steps = random_below(60);
	for (uint64_t n = 0; n < steps && region_step(&s->region, clock_now_us() + SECOND); n++)
		;
	if (random_below(2))
		kill_and_restart(s);
	settle_and_compare(s);
}

/* ---- volumes that move to other pools ---- */

static uuid need_pool(struct cloud *c)
{
	struct storage_pool_wish wish = {
		.name = STR("shared"), .kind = STORAGE_POOL_KIND_SHARED_DIR, .path = STR("/srv/shared")};
	AUTO_VIEW view = {0};
	struct result added = cloud_call(c, NULL, engine_add_storage_pool_run, &wish);
	if (!result_is_ok(added) && added.code != ERR_EXISTS)
		return UUID_NONE;
	view_open(c->store, &view);
	const struct storage_pool *pool = storage_pool_find_by_name(view.tables, wish.name);
	return pool ? pool->row.id : UUID_NONE;
}

/* Chooses a move into or out of the pool. False: no volume can move. */
static bool choose_move(struct cloud *c, uuid pool, struct volume_moving *ret_wish)
{
	size_t count = cloud_count(c, KIND_VOLUME), nth = count ? random_below(count) : 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct volume *v = volume_first(view.tables);
	while (v && nth-- > 0)
		v = volume_next(view.tables, v);
	if (!v)
		return false;
	*ret_wish = (struct volume_moving){.volume = cloud_ref(c, KIND_VOLUME, v->row.id)};
	if (uuid_is_none(v->pool))
		ret_wish->pool = cloud_ref(c, KIND_STORAGE_POOL, pool);
	return true;
}

static void set_copies(struct cloud *c, bool fail)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct host *h = host_first(view.tables); h; h = host_next(view.tables, h))
		sim_compute_set_copies(h->name, false, fail);
}

/* The move must be invisible, whether it succeeds or not, even if the process dies meanwhile. */
static void move_volume_in_peace(struct simulation *s)
{
	settle_and_compare(s);
	struct cloud *c = s->region.cloud;
	uuid pool = need_pool(c);
	struct volume_moving wish;
	settle_and_compare(s); /* the hosts prove that they see the pool */
	if (uuid_is_none(pool) || !choose_move(c, pool, &wish))
		return;
	bool fails = random_below(4) == 0;
	set_copies(c, fails);
	struct result asked = cloud_call(c, NULL, engine_move_volume_run, &wish);
	tell(s, "a volume goes to another pool: %s%s", err_name(asked.code),
	     fails ? ", and no guest's is copied" : "");
	uint64_t steps = random_below(60);
	for (uint64_t n = 0; n < steps && region_step(&s->region, clock_now_us() + SECOND); n++)
		;
	if (random_below(2))
		kill_and_restart(s);
	settle_and_compare(s);
	set_copies(s->region.cloud, false);
}

/* Cold migration, perhaps with a revert. contents.c compares the data later. */
static void migrate_off(struct simulation *s)
{
	settle_and_compare(s);
	struct thing *t = any_instance(s);
	if (!t || t->life != LIVE)
		return;
	struct cloud *c = s->region.cloud;
	uuid id = region_find(&s->region, KIND_INSTANCE, t->id);
	struct instance_migrating wish = {.instance = cloud_ref(c, KIND_INSTANCE, id)};
	struct instance_target target = {.instance = wish.instance};
	bool reverts = random_below(2);
	struct result asked = cloud_call(c, NULL, engine_cold_migrate_instance_run, &wish);
	tell(s, "%s goes to another host, off: %s", t->id, err_name(asked.code));
	if (!result_is_ok(asked))
		return;
	t->may_vary = t->is_resized = true;
	server_move(t);
	uint64_t steps = random_below(60);
	for (uint64_t n = 0; n < steps && region_step(&s->region, clock_now_us() + SECOND); n++)
		;
	if (random_below(2))
		kill_and_restart(s);
	c = s->region.cloud;
	settle_and_compare(s);
	t->is_resized = false;
	struct result done =
		cloud_call(c, NULL, reverts ? engine_revert_resize_run : engine_confirm_resize_run, &target);
	tell(s, "that is %s: %s", reverts ? "reverted" : "confirmed", err_name(done.code));
	if (reverts && done.code == ERR_CAPACITY) /* the old host has no room any more */
		done = cloud_call(c, NULL, engine_confirm_resize_run, &target);
	if (!result_is_ok(done))
		blame(s, "a move that is through is neither reverted nor confirmed: %s", err_name(done.code));
	settle_and_compare(s);
}

/* ---- hosts and the network ---- */

static void shake_host(struct simulation *s)
{
	struct str host = any_host();
	uint64_t dice = random_below(6);
	tell(s, "host %" STR_FMT ": %s", STR_ARG(host),
	     (const char *[]){"is down", "hangs", "is disconnected", "reboots", "deaf guests",
			      "is up"}[dice]);
	s->hosts_shaken = true;
	switch (dice) {
	case 0:
		sim_compute_set_health(host, SIM_DOWN, 0);
		break;
	case 1:
		sim_compute_set_health(host, SIM_HANGS, SECOND);
		break;
	case 2:
		sim_compute_disconnect(host);
		break;
	case 3:
		sim_compute_reboot(host);
		break;
	case 4:
		sim_compute_set_deaf(host, random_below(2) == 0);
		break;
	default:
		sim_compute_set_health(host, SIM_UP, 0);
		break;
	}
}

static void shake_network(struct simulation *s)
{
	bool is_cut = random_below(2) == 0;
	tell(s, "the network is %s", is_cut ? "cut" : "mended");
	network_sim_cut(is_cut);
}

/* ---- faults ---- */

static void make_fault(struct simulation *s)
{
	static const struct {
		unsigned points;
		const char *words;
	} faults[] = {{FAULT_DRIVER, "driver call"},
		      {FAULT_DRIVER, "driver call"},
		      {FAULT_SQL, "SQL call"},
		      {FAULT_ALLOC, "allocation"}};
	uint64_t which = random_below(4), n = random_below(30), next = random_below(12),
		 next_n = random_below(30);
	bool forever = random_below(8) == 0;
	tell(s, "the %s number %d from now fails%s", faults[which].words, (int) n,
	     forever ? ", and all after it" : "");
	request_mark_open(s);
	s->hosts_shaken = true;
	region_arm(&s->region, faults[which].points, n, forever, next < 4 ? faults[next].points : 0, next_n);
	if (next < 4)
		tell(s, "and then %s number %d fails", faults[next].words, (int) next_n);
}

static void end_faults(struct simulation *s)
{
	if (s->region.faults)
		tell(s, "faults are over");
	region_disarm(&s->region);
}

void make_whole(struct simulation *s)
{
	static const struct str names[HOSTS] = {{"h0", 2}, {"h1", 2}, {"h2", 2}};
	tell(s, "all is made whole");
	region_disarm(&s->region);
	if (s->is_doomed)
		kill_and_restart(s);
	for (size_t k = 0; k < HOSTS; k++) {
		sim_compute_set_health(names[k], SIM_UP, 0);
		sim_compute_set_deaf(names[k], false);
	}
	fences_end_all(s);
	network_sim_cut(false);
	maintenance_end_all(s);
}

/* ---- the process ---- */

/* Calls that have ended are recorded in the model even if their clients get no answer: they are committed, or
 * refused, and must stay so. */
void kill_and_restart(struct simulation *s)
{
	tell(s, "kill and restart");
	resume_all(s);
	region_kill(&s->region);
	for (size_t k = 0; k < CLIENTS; k++)
		if (s->clients[k].is_open)
			request_drop(&s->clients[k]);
	s->hosts_shaken = true;
	s->is_doomed = false;
	region_restart(&s->region);
}

static void die_at_commit(struct simulation *s)
{
	bool has_it = random_below(2) == 0;
	tell(s, "the next commit is the last, and %s", has_it ? "succeeds" : "is lost");
	request_mark_open(s);
	s->is_doomed = true;
	cloud_die_at_commit(s->region.cloud, has_it);
}

static bool has_open(const struct simulation *s)
{
	for (size_t k = 0; k < CLIENTS; k++)
		if (s->clients[k].is_open)
			return true;
	return false;
}

/* Orderly: waiting calls are refused. */
static void restart(struct simulation *s)
{
	if (has_open(s))
		return;
	tell(s, "restart");
	s->is_doomed = false;
	region_restart(&s->region);
}

/* Not if the next commit ends the process. */
static void change_policy(struct simulation *s)
{
	if (!has_open(s) && !s->is_doomed)
		policies_change(s);
}

/* ---- time ---- */

static void let_pass(struct simulation *s)
{
	static const int64_t whiles[] = {5 * SECOND, 20 * SECOND, 70 * SECOND};
	int64_t until_us = clock_now_us() + whiles[random_below(3)];
	tell(s, "time passes");
	for (int n = 0; n < 400 && region_step(&s->region, until_us); n++) {
		fences_check(s);
		if (cloud_is_dying(s->region.cloud)) {
			kill_and_restart(s);
			return;
		}
	}
}

static void settle(struct simulation *s)
{
	if (random_below(3) == 0)
		settle_and_compare(s);
}

static const struct {
	unsigned weight;
	void (*happen)(struct simulation *s);
} happenings[] = {
	{6, end_guest},        {1, lose_domain},     {1, end_guest_in_peace}, {5, shake_host},
	{3, shake_network},    {5, make_fault},      {6, end_faults},         {4, kill_and_restart},
	{2, die_at_commit},    {1, restart},         {4, let_pass},           {2, settle},
	{4, change_policy},    {16, contents_write}, {6, maintain_host},      {1, maintain_in_peace},
	{1, errand_group},     {1, errand_lock},     {1, errand_deployment},  {1, errand_destroy},
	{1, errand_forward},   {2, errand_reserve},  {1, errand_network},     {2, errand_assign},
	{1, migrate_in_peace}, {2, errand_share},    {1, errand_plan},        {4, shake_power},
	{1, fence_in_peace},   {1, migrate_off},     {1, maintain_by_moving}, {1, move_volume_in_peace},
};

void happen(struct simulation *s)
{
	uint64_t total = 0;
	for (size_t k = 0; k < sizeof happenings / sizeof *happenings; k++)
		total += happenings[k].weight;
	uint64_t at = random_below(total);
	size_t which = 0;
	while (at >= happenings[which].weight)
		at -= happenings[which++].weight;
	happenings[which].happen(s);
}

/* SPDX-License-Identifier: Apache-2.0
 * Acts on machines elsewhere: retried until the cloud has accepted them, ended by a refusal, and a reboot never sent
 * twice. Listings of other resources: bounded, and without effect on the provider where they fail. Change feeds, which name what
 * is read again. A cloud made of variables takes the place of the drivers at link time. */
#include "../cloud/cloud.h"
#include "drivers/remote.h"
#include "engine/billing/elsewhere.h"
#include "engine/people/account/account.h"
#include "engine/remote/provider.h"
#include "engine/remote/remote_machine.h"
#include "engine/remote/remote_resource.h"
#include "model/id.h"
#include "store/condition.h"
#include "store/ledger.h"
#include "store/provider.h"
#include "store/remote_machine.h"
#include "store/remote_resource.h"

enum { SEEDS = 3 };

#define REFERENCE STR("i-elsewhere")

/* The cloud elsewhere, with its one machine. */
static struct {
	bool has_machine;
	enum remote_machine_power power;
	enum err answers; /* to an act, for the next `failures` of them */
	const char *words;
	unsigned failures, acts;
	bool swallows; /* carries out the act although the answer is a failure */
	bool is_down;  /* answers nothing */
	unsigned volumes, listings;
	size_t others;          /* entries of each page of volumes that are not volumes */
	enum err lists_volumes; /* outcome of a listing of volumes */
	bool repeats;           /* lists all volumes under the same id, each in a state of its own */
	unsigned machine_listings, gets;
	unsigned touches; /* machines that the feed names each time: the known one, and then others */
	uint64_t event;   /* digest that all touches have; 0: none */
	enum err feeds;   /* outcome of reading the feed */
} elsewhere;

static struct remote_machine machine_there(void)
{
	return (struct remote_machine){.row.id = UUID_NONE,
				       .ref = REFERENCE,
				       .name = STR("web"),
				       .type = STR("small"),
				       .power = elsewhere.power,
				       .raw_state = STR("ACTIVE")};
}

static RESULT verify(struct ctx *c, struct remote *r, size_t step, struct str machine,
		     struct remote_identity *identity, bool *ret_is_over)
{
	(void) c, (void) r, (void) step, (void) machine;
	identity->account = STR("123");
	*ret_is_over = true;
	return OK;
}

static RESULT list(struct ctx *c, struct remote *r, struct str cursor, struct remote_page *ret_page)
{
	(void) r, (void) cursor;
	if (elsewhere.is_down)
		return ctx_fail(c, ERR_GONE, "The cloud does not answer.");
	elsewhere.machine_listings++;
	ret_page->machines = arena_new_array(c->arena, struct remote_machine, 1);
	assert_non_null(ret_page->machines);
	if (elsewhere.has_machine)
		ret_page->machines[ret_page->count++] = machine_there();
	return OK;
}

static RESULT get(struct ctx *c, struct remote *r, struct str ref, struct remote_machine *ret_machine)
{
	(void) r;
	bool is_other = !str_equal(ref, REFERENCE);
	assert_true(!is_other || elsewhere.touches > 1);
	elsewhere.gets++;
	if (elsewhere.is_down)
		return ctx_fail(c, ERR_GONE, "The cloud does not answer.");
	if (!elsewhere.has_machine || is_other)
		return ctx_fail(c, ERR_NOT_FOUND, "There is no such machine.");
	*ret_machine = machine_there();
	return OK;
}

static RESULT act(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	(void) r;
	bool fails = elsewhere.failures > 0;
	elsewhere.acts++;
	elsewhere.failures -= fails;
	if (!fails || elsewhere.swallows)
		elsewhere.power = act->verb == REMOTE_MACHINE_ACT_STOP ? REMOTE_MACHINE_POWER_STOPPED
								       : REMOTE_MACHINE_POWER_RUNNING;
	return fails ? ctx_fail(c, elsewhere.answers, "%s", elsewhere.words) : OK;
}

/* Volumes alone, in one page, or without end if there are others. */
static RESULT list_resources(struct ctx *c, struct remote *r, enum remote_resource_type type,
			     struct str cursor, struct remote_resource_page *ret_page)
{
	(void) r, (void) cursor;
	elsewhere.listings++;
	assert_int_equal(type, REMOTE_RESOURCE_TYPE_VOLUME);
	if (elsewhere.lists_volumes)
		return ctx_fail(c, elsewhere.lists_volumes, "Volumes are not for you.");
	ret_page->at = arena_new_array(c->arena, struct remote_resource, elsewhere.volumes + 1);
	assert_non_null(ret_page->at);
	for (; ret_page->count < elsewhere.volumes; ret_page->count++)
		ret_page->at[ret_page->count] = (struct remote_resource){
			.type = type,
			.ref = elsewhere.repeats ? STR("vol-0")
						 : str_print(c->arena, "vol-%zu", ret_page->count),
			.state = elsewhere.repeats && ret_page->count
					 ? str_print(c->arena, "state-%zu", ret_page->count)
					 : STR("in-use"),
			.size = 1 << 30};
	ret_page->entries = ret_page->count + elsewhere.others;
	if (elsewhere.others)
		ret_page->cursor = str_print(c->arena, "%u", elsewhere.listings);
	return OK;
}

static RESULT read_changes(struct ctx *c, struct remote *r, struct str cursor,
			   struct remote_changes *ret_changes)
{
	(void) cursor;
	assert_true(str_is(r->queue, "https://queue/"));
	if (elsewhere.feeds)
		return ctx_fail(c, elsewhere.feeds, "The feed is not for you.");
	for (unsigned k = 0; k < elsewhere.touches; k++)
		TRY(remote_touch_machine(c, ret_changes, k ? str_print(c->arena, "i-%u", k) : REFERENCE,
					 elsewhere.event));
	return OK;
}

/* Replaces the function of drivers.c, which is not linked. */
RESULT remote_touch_machine(struct ctx *c, struct remote_changes *changes, struct str ref, uint64_t event)
{
	if (!changes->at)
		changes->at = arena_new_array(c->arena, struct remote_touch, REMOTE_TOUCHES_MAX);
	assert_true(changes->at && changes->count < REMOTE_TOUCHES_MAX);
	changes->at[changes->count++] = (struct remote_touch){ref, event};
	return OK;
}

/* This cloud has instance types, whose names tell no size. */
bool remote_read_size(struct ctx *c, struct str type, int64_t *ret_vcpus, int64_t *ret_bytes)
{
	(void) c, (void) type, (void) ret_vcpus, (void) ret_bytes;
	return false;
}

const struct remote_driver *remote_driver_of(int cloud)
{
	static const struct remote_driver driver = {.name = "variables",
						    .verbs = 1U << REMOTE_MACHINE_ACT_STOP |
							     1U << REMOTE_MACHINE_ACT_REBOOT |
							     1U << REMOTE_MACHINE_ACT_TERMINATE,
						    .verify = verify,
						    .list = list,
						    .types = 1U << REMOTE_RESOURCE_TYPE_VOLUME,
						    .list_resources = list_resources,
						    .get = get,
						    .act = act,
						    .read_changes = read_changes,
						    .needs_queue = true};
	(void) cloud;
	return &driver;
}

static struct remote_machine machine_now(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct remote_machine *m = remote_machine_find(view.tables, id);
	struct remote_machine now = m ? *m : (struct remote_machine){0};
	now.act_problem = str_copy(c->arena, now.act_problem); /* the row's texts end with the view */
	return now;
}

static uuid find_machine(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct remote_machine *m = remote_machine_first(view.tables);
	return m ? m->row.id : UUID_NONE;
}

static bool is_listed(struct cloud *c, const void *unused)
{
	(void) unused;
	return !uuid_is_none(find_machine(c));
}

/* Adds the cloud, and waits for its machine to be listed. */
static uuid begin_with(struct cloud *c, struct str queue)
{
	uuid id = id_new(KIND_PROVIDER);
	struct provider_wish wish = {.id = id,
				     .name = STR("there"),
				     .region = STR("eu"),
				     .login = STR("key"),
				     .poll_s = 3600,
				     .queue = queue};
	wish.secret = cloud_seal(c, (struct str){(const char *) id.b, sizeof id.b}, STR("secret"));
	memset(&elsewhere, 0, sizeof elsewhere);
	elsewhere.has_machine = true;
	elsewhere.power = REMOTE_MACHINE_POWER_RUNNING;
	cloud_ok(c, &c->alice, engine_create_provider, &wish);
	assert_true(cloud_step_until(c, is_listed, NULL, MINUTE));
	return find_machine(c);
}

static uuid begin(struct cloud *c)
{
	return begin_with(c, STR_NONE);
}

static void ask(struct cloud *c, uuid id, enum remote_machine_act verb)
{
	struct remote_act_wish wish = {.machine = cloud_ref(c, KIND_REMOTE_MACHINE, id), .act = verb};
	cloud_ok(c, &c->alice, engine_act_remote_machine, &wish);
}

/* Without its provider the region comes to rest. */
static void end(struct cloud *c)
{
	struct provider_target target = {.provider = {.kind = KIND_PROVIDER, .text = STR("there")}};
	cloud_ok(c, &c->alice, engine_delete_provider, &target);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_REMOTE_MACHINE), 0);
	assert_int_equal(cloud_count(c, KIND_REMOTE_RESOURCE), 0);
}

struct levels {
	uuid id;
	int64_t level;
	size_t count;
};

static RESULT take_level(void *arg, const struct usage *usage)
{
	struct levels *l = arg;
	if (!uuid_equal(usage->id, l->id))
		return OK;
	assert_true(str_is(usage->meter, "remote:there:small"));
	l->level = usage->level;
	l->count++;
	return OK;
}

static void expect_level(struct cloud *c, uuid id, int64_t level, size_t count)
{
	struct levels l = {.id = id, .level = -1};
	const struct usage_query query = {.before_us = INT64_MAX};
	assert_true(result_is_ok(store_read_usage(c->store, &c->c, &query, take_level, &l)));
	assert_int_equal(l.level, level);
	assert_int_equal(l.count, count);
}

static void answer_next(unsigned count, enum err err, const char *words)
{
	elsewhere.failures = count;
	elsewhere.answers = err;
	elsewhere.words = words;
}

static bool is_over(struct cloud *c, const void *id)
{
	return machine_now(c, *(const uuid *) id).act == REMOTE_MACHINE_ACT_NONE;
}

static void await_end(struct cloud *c, uuid id, int64_t limit_us)
{
	assert_true(cloud_step_until(c, is_over, &id, limit_us));
}

/* Usage follows what listings show, and ends with the provider. */
static void is_metered(struct cloud *c)
{
	uuid id = begin(c);
	expect_level(c, id, 1, 1);
	ask(c, id, REMOTE_MACHINE_ACT_STOP);
	await_end(c, id, 5 * MINUTE);
	cloud_step_for(c, MINUTE);
	expect_level(c, id, 0, 2);
	elsewhere.power = REMOTE_MACHINE_POWER_RUNNING;
	cloud_step_for(c, 3 * 3600 * SECOND);
	expect_level(c, id, 1, 3);
	end(c);
	expect_level(c, id, 0, 4);
}
TEST_STORY(is_metered, 1)

/* FOCUS has the names that AWS and Microsoft give themselves; a cloud with an endpoint of its own is neither. */
static void clouds_have_names(struct cloud *c)
{
	struct provider p = {.name = STR("bank"), .cloud = PROVIDER_CLOUD_AWS};
	(void) c;
	assert_true(str_is(elsewhere_cloud_name(&p), "AWS"));
	p.cloud = PROVIDER_CLOUD_AZURE;
	assert_true(str_is(elsewhere_cloud_name(&p), "Microsoft"));
	p.endpoint = STR("https://cloud.example.com");
	assert_true(str_is(elsewhere_cloud_name(&p), "bank"));
	p = (struct provider){.name = STR("bank"), .cloud = PROVIDER_CLOUD_OPENSTACK};
	assert_true(str_is(elsewhere_cloud_name(&p), "bank"));
}
TEST_STORY(clouds_have_names, 1)

/* Memory that runs out here says nothing about the act: it is no answer of the cloud's. */
static void goes_on_after_no_memory(struct cloud *c)
{
	uuid id = begin(c);
	answer_next(2, ERR_NO_MEMORY, "no memory");
	ask(c, id, REMOTE_MACHINE_ACT_STOP);
	await_end(c, id, 5 * MINUTE);
	struct remote_machine m = machine_now(c, id);
	assert_int_equal(m.act_problem.n, 0);
	assert_int_equal(elsewhere.acts, 3);
	assert_int_equal(elsewhere.power, REMOTE_MACHINE_POWER_STOPPED);
	end(c);
}
TEST_STORY(goes_on_after_no_memory, 1)

static void retries_while_busy(struct cloud *c)
{
	uuid id = begin(c);
	answer_next(3, ERR_AGAIN, "busy");
	ask(c, id, REMOTE_MACHINE_ACT_STOP);
	await_end(c, id, 5 * MINUTE);
	assert_int_equal(machine_now(c, id).act_problem.n, 0);
	assert_int_equal(elsewhere.acts, 4);
	end(c);
}
TEST_STORY(retries_while_busy, 1)

/* An answer that was lost is not asked for again where the machine shows that the act was done. */
static void does_not_repeat_what_is_done(struct cloud *c)
{
	uuid id = begin(c);
	answer_next(1, ERR_TIMEOUT, "no answer in time");
	elsewhere.swallows = true;
	ask(c, id, REMOTE_MACHINE_ACT_STOP);
	await_end(c, id, 5 * MINUTE);
	assert_int_equal(machine_now(c, id).act_problem.n, 0);
	assert_int_equal(elsewhere.acts, 1);
	end(c);
}
TEST_STORY(does_not_repeat_what_is_done, 1)

static void ends_with_a_refusal(struct cloud *c)
{
	uuid id = begin(c);
	answer_next(1, ERR_DENIED, "You may not stop this.");
	ask(c, id, REMOTE_MACHINE_ACT_STOP);
	await_end(c, id, MINUTE);
	assert_true(str_is(machine_now(c, id).act_problem, "You may not stop this."));
	cloud_step_for(c, 30 * MINUTE);
	assert_int_equal(elsewhere.acts, 1);
	assert_int_equal(elsewhere.power, REMOTE_MACHINE_POWER_RUNNING);
	end(c);
}
TEST_STORY(ends_with_a_refusal, 1)

/* A disabled account's keys are refused at once, and so is what they asked for before. */
static void ends_with_its_account(struct cloud *c)
{
	uuid id = begin(c);
	struct account_change wish = {.account = {.kind = KIND_ACCOUNT, .text = STR("alice")},
				      .enabled = CHOICE_NO};
	answer_next(1, ERR_AGAIN, "busy");
	ask(c, id, REMOTE_MACHINE_ACT_STOP);
	cloud_ok(c, NULL, engine_update_account, &wish);
	await_end(c, id, 5 * MINUTE);
	assert_true(str_is(machine_now(c, id).act_problem, "The account is disabled."));
	assert_int_equal(elsewhere.power, REMOTE_MACHINE_POWER_RUNNING);
	wish.enabled = CHOICE_YES;
	cloud_ok(c, NULL, engine_update_account, &wish);
	end(c);
}
TEST_STORY(ends_with_its_account, 1)

/* A reboot whose answer was lost leaves no trace, and a second one would hit a machine at work. */
static void reboots_once(struct cloud *c)
{
	uuid id = begin(c);
	answer_next(1, ERR_TIMEOUT, "no answer in time");
	ask(c, id, REMOTE_MACHINE_ACT_REBOOT);
	await_end(c, id, MINUTE);
	assert_true(str_is(machine_now(c, id).act_problem, "no answer in time"));
	cloud_step_for(c, 30 * MINUTE);
	assert_int_equal(elsewhere.acts, 1);
	end(c);
}
TEST_STORY(reboots_once, 1)

/* An act that could not be sent in time is dropped: its user no longer expects it. */
static void expires(struct cloud *c)
{
	uuid id = begin(c);
	elsewhere.is_down = true;
	ask(c, id, REMOTE_MACHINE_ACT_STOP);
	cloud_step_for(c, (REMOTE_ACT_EXPIRES_S - 60) * SECOND);
	assert_int_equal(machine_now(c, id).act, REMOTE_MACHINE_ACT_STOP);
	await_end(c, id, 10 * MINUTE);
	assert_true(str_is(machine_now(c, id).act_problem, "The cloud does not answer."));
	elsewhere.is_down = false;
	cloud_step_for(c, 30 * MINUTE);
	assert_int_equal(elsewhere.acts, 0);
	end(c);
}
TEST_STORY(expires, 1)

/* The driver lists what it can do; nothing else is sent. */
static void is_not_asked_for_the_impossible(struct cloud *c)
{
	uuid id = begin(c);
	elsewhere.power = REMOTE_MACHINE_POWER_STOPPED;
	ask(c, id, REMOTE_MACHINE_ACT_START);
	await_end(c, id, MINUTE);
	assert_true(machine_now(c, id).act_problem.n > 0);
	assert_int_equal(elsewhere.acts, 0);
	end(c);
}
TEST_STORY(is_not_asked_for_the_impossible, 1)

static bool is_forgotten(struct cloud *c, const void *id)
{
	return machine_now(c, *(const uuid *) id).row.gen == 0;
}

/* A machine that is gone already has been terminated; for any other act it is missing. */
static void may_be_gone(struct cloud *c)
{
	uuid id = begin(c);
	elsewhere.has_machine = false;
	ask(c, id, REMOTE_MACHINE_ACT_STOP);
	await_end(c, id, MINUTE);
	assert_true(str_is(machine_now(c, id).act_problem, "There is no such machine."));
	ask(c, id, REMOTE_MACHINE_ACT_TERMINATE);
	assert_true(cloud_step_until(c, is_forgotten, &id, MINUTE));
	assert_int_equal(elsewhere.acts, 0);
	end(c);
}
TEST_STORY(may_be_gone, 1)

/* ---- other resources ---- */

static void refresh(struct cloud *c, bool accepts_loss)
{
	struct provider_target target = {.provider = {.kind = KIND_PROVIDER, .text = STR("there")},
					 .accepts_loss = accepts_loss};
	cloud_ok(c, &c->alice, engine_refresh_provider, &target);
	cloud_step_for(c, MINUTE);
}

/* The provider's first line about a type that is not listed; empty: none. */
static struct str unlisted(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct provider *p = provider_first(view.tables);
	assert_int_equal(p->status, PROVIDER_STATUS_OK);
	return p->unlisted.count ? str_copy(c->arena, p->unlisted.at[0]) : STR_NONE;
}

static void begin_with_volumes(struct cloud *c, unsigned count)
{
	(void) begin(c);
	elsewhere.volumes = count;
	refresh(c, false);
	assert_int_equal(cloud_count(c, KIND_REMOTE_RESOURCE), count);
	assert_int_equal(unlisted(c).n, 0);
}

/* Two listings in a row forget a resource, and one that most are missing from forgets none. */
static void forgets_what_two_listings_lack(struct cloud *c)
{
	begin_with_volumes(c, 40);
	elsewhere.volumes = 38;
	refresh(c, false);
	assert_int_equal(cloud_count(c, KIND_REMOTE_RESOURCE), 40);
	refresh(c, false);
	assert_int_equal(cloud_count(c, KIND_REMOTE_RESOURCE), 38);
	elsewhere.volumes = 5;
	refresh(c, false);
	refresh(c, false);
	assert_int_equal(cloud_count(c, KIND_REMOTE_RESOURCE), 38);
	assert_true(str_is(unlisted(c), "volume: The last listing lacked 33 of 38. They stay."));
	refresh(c, true);
	assert_int_equal(cloud_count(c, KIND_REMOTE_RESOURCE), 5);
	assert_int_equal(unlisted(c).n, 0);
	end(c);
}
TEST_STORY(forgets_what_two_listings_lack, 1)

static bool has_forgotten_some(struct cloud *c, const void *before)
{
	return cloud_count(c, KIND_REMOTE_RESOURCE) < *(const size_t *) before;
}

/* An accepted loss of many resources takes several changes of bounded size. */
static void forgets_many_in_parts(struct cloud *c)
{
	struct provider_target target = {.provider = {.kind = KIND_PROVIDER, .text = STR("there")},
					 .accepts_loss = true};
	size_t count = 1300;
	begin_with_volumes(c, (unsigned) count);
	elsewhere.volumes = 5;
	cloud_ok(c, &c->alice, engine_refresh_provider, &target);
	while (count > 5) {
		size_t before = count;
		assert_true(cloud_step_until(c, has_forgotten_some, &before, MINUTE));
		count = cloud_count(c, KIND_REMOTE_RESOURCE);
		assert_true(before - count <= 500);
	}
	cloud_step_for(c, MINUTE);
	assert_int_equal(cloud_count(c, KIND_REMOTE_RESOURCE), 5);
	assert_int_equal(unlisted(c).n, 0);
	end(c);
}
TEST_STORY(forgets_many_in_parts, 1)

/* A type that is denied concerns neither its rows nor the provider, and is tried again. */
static void goes_on_without_a_type(struct cloud *c)
{
	begin_with_volumes(c, 3);
	elsewhere.lists_volumes = ERR_DENIED;
	refresh(c, false);
	assert_true(str_is(unlisted(c), "volume: Volumes are not for you."));
	assert_int_equal(cloud_count(c, KIND_REMOTE_RESOURCE), 3);
	elsewhere.lists_volumes = ERR_NONE;
	cloud_step_for(c, 24 * HOUR);
	assert_int_equal(unlisted(c).n, 0);
	end(c);
}
TEST_STORY(goes_on_without_a_type, 1)

/* Pages without end are given up. */
static void refuses_a_million(struct cloud *c)
{
	begin_with_volumes(c, 3);
	elsewhere.others = 5000;
	refresh(c, false);
	cloud_step_for(c, MINUTE);
	assert_true(str_contains(unlisted(c), STR("more than 50000 resources of this type")));
	assert_int_equal(cloud_count(c, KIND_REMOTE_RESOURCE), 3);
	end(c);
}
TEST_STORY(refuses_a_million, 1)

static bool has_only_first_entry(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct remote_resource *r = remote_resource_first(view.tables);
	return r && str_is(r->state, "in-use") && !remote_resource_next(view.tables, r);
}

/* A page may list an id again, such as an image once a zone: the first entry counts in every listing. */
static void takes_the_first_of_repeated_entries(struct cloud *c)
{
	(void) begin(c);
	elsewhere.volumes = 3;
	elsewhere.repeats = true;
	refresh(c, false);
	assert_true(has_only_first_entry(c));
	refresh(c, false);
	assert_true(has_only_first_entry(c));
	end(c);
}
TEST_STORY(takes_the_first_of_repeated_entries, 1)

/* ---- change feeds ---- */

static bool has_unread_feed(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct condition *k = condition_first(view.tables); k; k = condition_next(view.tables, k))
		if (str_is(k->name, PROVIDER_UNFED))
			return true;
	return false;
}

/* A change shows without a listing, and a repeated event reads nothing again. */
static void shows_a_change_without_a_listing(struct cloud *c)
{
	uuid id = begin_with(c, STR("https://queue/"));
	cloud_step_for(c, MINUTE);
	unsigned listings = elsewhere.machine_listings;
	elsewhere.power = REMOTE_MACHINE_POWER_STOPPED;
	elsewhere.touches = 1;
	elsewhere.event = 7;
	cloud_step_for(c, 20 * SECOND);
	assert_int_equal(machine_now(c, id).power, REMOTE_MACHINE_POWER_STOPPED);
	assert_int_equal(elsewhere.gets, 1);
	cloud_step_for(c, 10 * MINUTE);
	assert_int_equal(elsewhere.gets, 1);
	elsewhere.has_machine = false;
	elsewhere.event = 8;
	cloud_step_for(c, 20 * SECOND);
	assert_int_equal(cloud_count(c, KIND_REMOTE_MACHINE), 0);
	assert_int_equal(elsewhere.machine_listings, listings);
	elsewhere.has_machine = true;
	elsewhere.power = REMOTE_MACHINE_POWER_TERMINATED;
	elsewhere.event = 9;
	cloud_step_for(c, 20 * SECOND);
	assert_int_equal(cloud_count(c, KIND_REMOTE_MACHINE), 0); /* what has ended is not new */
	end(c);
}
TEST_STORY(shows_a_change_without_a_listing, SEEDS)

/* Events about machines that do not exist make no rows; a flood of them is one listing a minute. */
static void bears_forged_events(struct cloud *c)
{
	uuid id = begin_with(c, STR("https://queue/"));
	cloud_step_for(c, MINUTE);
	elsewhere.touches = REMOTE_TOUCHES_MAX;
	unsigned listings = elsewhere.machine_listings;
	cloud_step_for(c, 10 * MINUTE);
	assert_true(elsewhere.machine_listings > listings && elsewhere.machine_listings <= listings + 11);
	assert_int_equal(cloud_count(c, KIND_REMOTE_MACHINE), 1);
	assert_int_equal(machine_now(c, id).power, REMOTE_MACHINE_POWER_RUNNING);
	elsewhere.touches = 0;
	end(c);
}
TEST_STORY(bears_forged_events, 1)

/* A feed that cannot be read is a condition; listings and acts go on. */
static void goes_on_without_its_feed(struct cloud *c)
{
	uuid id = begin_with(c, STR("https://queue/"));
	elsewhere.feeds = ERR_DENIED;
	cloud_step_for(c, 2 * MINUTE);
	assert_true(has_unread_feed(c));
	elsewhere.power = REMOTE_MACHINE_POWER_STOPPED;
	cloud_step_for(c, HOUR);
	assert_int_equal(machine_now(c, id).power, REMOTE_MACHINE_POWER_STOPPED);
	elsewhere.feeds = ERR_NONE;
	cloud_step_for(c, 2 * MINUTE);
	assert_false(has_unread_feed(c));
	end(c);
}
TEST_STORY(goes_on_without_its_feed, SEEDS)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_metered),
		cmocka_unit_test(test_clouds_have_names),
		cmocka_unit_test(test_goes_on_after_no_memory),
		cmocka_unit_test(test_retries_while_busy),
		cmocka_unit_test(test_does_not_repeat_what_is_done),
		cmocka_unit_test(test_ends_with_a_refusal),
		cmocka_unit_test(test_ends_with_its_account),
		cmocka_unit_test(test_reboots_once),
		cmocka_unit_test(test_expires),
		cmocka_unit_test(test_is_not_asked_for_the_impossible),
		cmocka_unit_test(test_may_be_gone),
		cmocka_unit_test(test_forgets_what_two_listings_lack),
		cmocka_unit_test(test_forgets_many_in_parts),
		cmocka_unit_test(test_goes_on_without_a_type),
		cmocka_unit_test(test_refuses_a_million),
		cmocka_unit_test(test_takes_the_first_of_repeated_entries),
		cmocka_unit_test(test_shows_a_change_without_a_listing),
		cmocka_unit_test(test_bears_forged_events),
		cmocka_unit_test(test_goes_on_without_its_feed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

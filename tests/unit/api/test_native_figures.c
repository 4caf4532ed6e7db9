/* SPDX-License-Identifier: Apache-2.0
 * Metrics of a row that goes between a call's two views: the one that finds it, and the one that answers. */
#include "../base/test_base.h"

#include "api/native/action.h"
#include "engine/region/host.h"
#include "world.h"

extern const struct api_actions native_figures_actions;

static const struct native_action *find_action(const char *path)
{
	for (size_t k = 0; k < native_figures_actions.count; k++) {
		const struct native_action *a = native_row_of(api_action_at(&native_figures_actions, k));
		if (strcmp(a->path, path) == 0)
			return a;
	}
	fail_msg("no %s", path);
	return NULL;
}

struct metrics {
	struct fake_call call;
	struct native_call e;
	struct pair id;
};

/* A call that has found its host, as far as prepare() goes; its view is closed, as the dispatcher does. */
static void prepare(struct world *w, struct metrics *m, const char *host)
{
	const struct native_action *a = find_action("/hosts/{id}/metrics");
	memset(m, 0, sizeof *m);
	fake_call_init(&m->call, "GET", STR("/api/v1/hosts/x/metrics"), STR_NONE, STR_NONE);
	api_call_begin(&m->e.core, w->native, &m->call.call);
	m->e.c->who = &w->operator;
	m->e.action = &a->core;
	m->id = (struct pair){.name = STR("id"), .value = str_from(host)};
	m->e.path = (struct pairs){.at = &m->id, .count = 1};
	assert_ok(api_new_args(&m->e.core, 1, a->args.size));
	assert_ok(a->prepare(&m->e, m->e.args));
	view_close(&m->e.view);
	m->e.view = (struct view){0};
}

static struct result answer(struct metrics *m)
{
	struct json_writer writer;
	struct buf body;
	buf_init(&body, 1 << 20);
	json_write_begin(&writer, &body);
	json_write_open(&writer, NULL);
	struct result result = native_action_of(&m->e)->answer(&m->e, m->e.args, &writer);
	buf_done(&body);
	view_close(&m->e.view);
	return result;
}

static void test_host_goes_before_the_answer(void **state)
{
	static struct world w;
	struct host_wish wish = {.name = STR("short-lived"), .reserved_memory = -1};
	struct host_target target = {.host = {.kind = KIND_HOST, .text = STR("short-lived")}};
	struct metrics m;
	(void) state;
	world_make(&w);
	assert_ok(world_do(&w, &w.operator, engine_add_host_run, &wish));
	prepare(&w, &m, "short-lived");
	assert_ok(answer(&m));
	fake_call_done(&m.call);
	prepare(&w, &m, "short-lived");
	assert_ok(world_do(&w, &w.operator, engine_remove_host_run, &target));
	assert_err(answer(&m), NOT_FOUND);
	fake_call_done(&m.call);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_host_goes_before_the_answer)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

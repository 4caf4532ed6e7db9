/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes complete requests of EC2's, OpenStack's, CloudStack's, Azure's and Dari's own faces, signed or with
 * a token, on a region with simulated hosts: the lines of a golden case, sent to a new region each time. No
 * answer may be a failure of the server, and in the end everything must settle. The initial corpus are the
 * golden cases, the dictionary all actions, paths, parameters and filters. */
#include <stdlib.h>

#include "../unit/api/script.h"
#include "api/azure/core/azure.h"
#include "api/cloudstack/core/cloudstack.h"
#include "api/native/native.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/id.h"

enum { LINES_MAX = 12, LINE_SIZE_MAX = 4096, QUIET_STEPS_MAX = 1000 /* thirty looks take some eighty */ };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct world w;

static struct world_answer call(void *self, enum script_user user, bool is_get, struct str parameters)
{
	(void) self;
	const struct world_user *users[] = {&w.alice, &w.bob, 0, &w.admin, &w.alice};
	struct world_answer a =
		is_get ? world_get(&w, users[user], parameters) : world_post(&w, users[user], parameters);
	if (str_contains(a.body, STR("<Code>Internal")))
		abort();
	return a;
}

static struct world_answer request(void *self, const struct script_request *r)
{
	(void) self;
	const struct world_user *users[] = {&w.alice, &w.bob, 0, &w.admin, &w.alice};
	if (!openstack_has_path(r->path) && !cloudstack_has_path(r->path) && !azure_has_path(r->path) &&
	    !native_has_path(r->path))
		return (struct world_answer){0};
	struct world_answer a = world_request(&w, users[r->user], r);
	/* CloudStack answers 530 to states that it refuses, too: an internal error has a text of its own. */
	bool is_internal = a.status == 530 && str_contains(a.body, STR("Internal error executing command"));
	if (a.status == 500 || is_internal)
		abort();
	return a;
}

static void settle(void *self)
{
	(void) self;
	world_settle(&w, MINUTE);
}

static void let_pass(void *self, int64_t us)
{
	(void) us; /* waiting for hours would test nothing */
	settle(self);
}

/* True if only the usual looks at hosts take steps for ten minutes, and nothing fails: what waits has its time, as a resolved
 * ticket that is closed days later. */
static bool is_quiet(void)
{
	struct reconcile_figures before = {0}, after = {0};
	reconciler_read_figures(w.reconciler, &before);
	world_settle(&w, 10 * MINUTE);
	reconciler_read_figures(w.reconciler, &after);
	return after.steps - before.steps < QUIET_STEPS_MAX && after.failing == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *) data, size}, line;
	world_make(&w);
	log_set_level(LOG_ERROR + 1);
	struct script_stage stage = {.arena = w.arena,
				     .image = id_to_ec2(w.arena, KIND_IMAGE, w.image),
				     .is_lenient = true,
				     .call = call,
				     .request = request,
				     .settle = settle,
				     .wait = let_pass};
	struct script script = {.stage = &stage};
	for (int n = 0; n < LINES_MAX && str_split_next(&rest, '\n', &line); n++)
		script_run(&script, str_slice(line, 0, LINE_SIZE_MAX));
	world_settle(&w, 10 * MINUTE);
	if (!reconciler_is_settled(w.reconciler) && !is_quiet())
		abort();
	world_done(&w);
	return 0;
}

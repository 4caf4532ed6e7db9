/* SPDX-License-Identifier: Apache-2.0
 * writers [--seed S] [--histories N] [--without GUARD] [--steps FOLDER]: runs N histories of two or three processes on one
 * database, with the seeds S, S + 1, …, each in a process of its own. --seed alone tells a single history. --without leaves a
 * guard out: the histories end with the first that goes wrong, and none is a failure. --steps writes each history's steps, for
 * writers.pml. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../pool.h"
#include "base/log.h"
#include "history.h"

enum { LIMIT_S = 120, FAILURES_MAX = 5 };
_Noreturn void __real__exit(int status);

static uint64_t first_seed, ended, failed[FAILURES_MAX], failures;
static const char *folder;

static void run_history(uint64_t job)
{
	char path[512];
	struct options options = {.seed = first_seed + job};
	if (folder) {
		(void) snprintf(path, sizeof path, "%s/%" PRIu64, folder, options.seed);
		options.steps = path;
	}
	if (!freopen("/dev/null", "w", stderr))
		exit(1);
	history_run(&options);
	(void) fflush(stdout);
	__real__exit(0);
}

static bool history_ended(uint64_t job, int status)
{
	ended++;
	if (status && failures < FAILURES_MAX)
		failed[failures++] = first_seed + job;
	return failures < (left_out ? 1 : FAILURES_MAX);
}

static enum rule guard_named(const char *name)
{
	static const char *const names[] = {"",
#define G(name) #name,
					    GUARDS(G)
#undef G
	};
	for (unsigned k = 1; k < GUARD_COUNT; k++)
		if (strcmp(names[k], name) == 0)
			return (enum rule) k;
	(void) fprintf(stderr, "no guard is named %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	uint64_t seed = 0, histories = 0;
	for (int k = 1; k + 1 < argc; k += 2) {
		if (strcmp(argv[k], "--seed") == 0)
			seed = strtoull(argv[k + 1], NULL, 10);
		else if (strcmp(argv[k], "--histories") == 0)
			histories = strtoull(argv[k + 1], NULL, 10);
		else if (strcmp(argv[k], "--without") == 0)
			left_out = guard_named(argv[k + 1]);
		else if (strcmp(argv[k], "--steps") == 0)
			folder = argv[k + 1];
	}
	if (seed && !histories) {
		char path[512];
		struct options options = {.seed = seed, .is_told = true};
		(void) snprintf(path, sizeof path, "%s/%" PRIu64, folder ? folder : "", seed);
		options.steps = folder ? path : NULL;
		history_run(&options);
		return 0;
	}
	/* processes end and begin all the time: their memory is used again */
	(void) mallopt(M_MMAP_THRESHOLD, 1 << 30);
	(void) mallopt(M_TRIM_THRESHOLD, 1 << 30);
	first_seed = seed ? seed : 1;
	histories = histories ? histories : 500;
	pool_run(histories, LIMIT_S, run_history, history_ended);
	for (uint64_t k = 0; k < failures; k++)
		printf("seed %" PRIu64 " failed\n", failed[k]);
	printf("%" PRIu64 " of %" PRIu64 " histories, from seed %" PRIu64 " on: %" PRIu64 " passed, %" PRIu64
	       " failed\n",
	       ended, histories, first_seed, ended - failures, failures);
	return left_out ? failures == 0 : failures != 0;
}

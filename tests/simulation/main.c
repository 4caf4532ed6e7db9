/* SPDX-License-Identifier: Apache-2.0
 * simulate [--histories N] [--seed S]: runs N histories (500) with the seeds S, S + 1, … (1), each in a
 * separate process, on all cores. A failing history is run again with its events printed; --seed alone prints
 * a single history. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pool.h"
#include "simulation.h"

enum { LIMIT_S = 120, FAILURES_MAX = 5 };

static struct simulation simulation;
static uint64_t first_seed, told_seed, ended, failed[FAILURES_MAX], failures;

static void tell_history(uint64_t seed)
{
	simulation.seed = seed;
	simulation.is_told = true;
	history_run(&simulation);
}

static void tell_again(uint64_t job)
{
	(void) job;
	tell_history(told_seed);
}

static void run_history(uint64_t job)
{
	if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
		_exit(1);
	simulation.seed = first_seed + job;
	history_run(&simulation);
}

static bool history_ended(uint64_t job, int status)
{
	ended++;
	if (status && failures < FAILURES_MAX)
		failed[failures++] = first_seed + job;
	return failures < FAILURES_MAX;
}

static bool told_ended(uint64_t job, int status)
{
	(void) job;
	if (WIFSIGNALED(status))
		printf("ended by signal %d\n", WTERMSIG(status));
	return true;
}

static void tell_failures(void)
{
	for (uint64_t k = 0; k < failures; k++) {
		printf("seed %llu failed; its history:\n", (unsigned long long) failed[k]);
		told_seed = failed[k];
		pool_run(1, LIMIT_S, tell_again, told_ended);
		printf("again: make simulate SEED=%llu\n", (unsigned long long) failed[k]);
	}
}

static uint64_t number(const char *text)
{
	char *end = NULL;
	unsigned long long value = strtoull(text, &end, 10);
	if (!*text || *end) {
		fprintf(stderr, "%s is not a number\n", text);
		exit(2);
	}
	return value;
}

static int usage(void)
{
	(void) fprintf(stderr, "usage: simulate [--seed N] [--histories N]\n");
	return 2;
}

int main(int argc, char **argv)
{
	uint64_t seed = 0, histories = 0;
	for (int k = 1; k < argc; k += 2) {
		uint64_t value = k + 1 < argc ? number(argv[k + 1]) : 0;
		if (value && strcmp(argv[k], "--seed") == 0)
			seed = value;
		else if (value && strcmp(argv[k], "--histories") == 0)
			histories = value;
		else
			return usage();
	}
	if (seed && !histories) {
		tell_history(seed);
		return 0;
	}
	first_seed = seed ? seed : 1;
	histories = histories ? histories : 500;
	(void) world_bearer_key(); /* created once for all processes, because creating the key takes as long as a short history */
	pool_run(histories, LIMIT_S, run_history, history_ended);
	tell_failures();
	printf("simulation: %llu of %llu histories, from seed %llu on\n", (unsigned long long) ended,
	       (unsigned long long) histories, (unsigned long long) first_seed);
	printf("%llu passed, %llu failed\n", (unsigned long long) (ended - failures),
	       (unsigned long long) failures);
	return failures != 0;
}

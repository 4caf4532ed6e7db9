/* SPDX-License-Identifier: Apache-2.0
 * simulate [--histories N] [--seed S]: N histories (500) from the seeds S, S + 1, … (1), each in a
 * process of its own, on all cores. One that fails is run again and told event by event; with
 * --seed alone one is told in any case. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "simulation.h"

enum { LIMIT_S = 120, FAILURES_MAX = 5, WORKERS_MAX = 256 };

static struct simulation simulation;

/* In a child: does not return. */
static void run(uint64_t seed, bool is_told, bool is_quiet)
{
	if (is_quiet && !freopen("/dev/null", "w", stdout))
		_exit(1);
	(void) alarm(LIMIT_S);
	simulation.seed = seed;
	simulation.is_told = is_told;
	history_run(&simulation);
	_exit(0);
}

static pid_t begin(uint64_t seed, bool is_told, bool is_quiet)
{
	(void) fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		run(seed, is_told, is_quiet);
	if (child < 0) {
		perror("fork");
		exit(2);
	}
	return child;
}

/* True: it failed again, as it must. */
static void tell_again(uint64_t seed)
{
	int status = 0;
	printf("seed %llu failed; its history:\n", (unsigned long long) seed);
	(void) waitpid(begin(seed, true, false), &status, 0);
	if (WIFSIGNALED(status))
		printf("ended by signal %d\n", WTERMSIG(status));
	printf("again: make simulate SEED=%llu\n", (unsigned long long) seed);
}

struct worker {
	pid_t pid;
	uint64_t seed;
};

static uint64_t run_all(uint64_t first, uint64_t count)
{
	struct worker workers[WORKERS_MAX] = {0};
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t size = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (size_t) cores, running = 0;
	uint64_t failed[FAILURES_MAX], failures = 0;
	for (uint64_t next = 0; next < count || running;) {
		for (size_t k = 0; k < size && next < count && failures < FAILURES_MAX; k++)
			if (!workers[k].pid) {
				workers[k] = (struct worker){begin(first + next, false, true), first + next};
				next++;
				running++;
			}
		if (!running)
			break;
		int status = 0;
		pid_t ended = wait(&status);
		for (size_t k = 0; k < size; k++)
			if (workers[k].pid == ended) {
				workers[k].pid = 0;
				running--;
				if (status && failures < FAILURES_MAX)
					failed[failures++] = workers[k].seed;
			}
	}
	for (uint64_t k = 0; k < failures; k++)
		tell_again(failed[k]);
	return failures;
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

int main(int argc, char **argv)
{
	uint64_t seed = 0, histories = 0;
	for (int k = 1; k + 1 < argc; k += 2) {
		if (strcmp(argv[k], "--seed") == 0)
			seed = number(argv[k + 1]);
		else if (strcmp(argv[k], "--histories") == 0)
			histories = number(argv[k + 1]);
	}
	if (seed && !histories)
		run(seed, true, false);
	if (!seed)
		seed = 1;
	if (!histories)
		histories = 500;
	uint64_t failures = run_all(seed, histories);
	printf("simulation: %llu histories, seeds %llu to %llu\n", (unsigned long long) histories,
	       (unsigned long long) seed, (unsigned long long) (seed + histories - 1));
	printf("%llu passed, %llu failed\n", (unsigned long long) (histories - failures),
	       (unsigned long long) failures);
	return failures != 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * Jobs in processes: pool.h. */
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS_MAX = 256 };

static pid_t begin(uint64_t job, unsigned limit_s, void (*run)(uint64_t job))
{
	(void) fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		(void) alarm(limit_s);
		run(job);
		_exit(0);
	}
	if (child < 0) {
		perror("fork");
		exit(2);
	}
	return child;
}

void pool_run(uint64_t count, unsigned limit_s, void (*run)(uint64_t job),
	      bool (*ended)(uint64_t job, int status))
{
	struct {
		pid_t pid;
		uint64_t job;
	} workers[WORKERS_MAX] = {0};
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t size = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (size_t) cores, running = 0;
	for (uint64_t next = 0; next < count || running;) {
		for (size_t k = 0; k < size && next < count; k++)
			if (!workers[k].pid) {
				workers[k].pid = begin(next, limit_s, run);
				workers[k].job = next++;
				running++;
			}
		int status = 0;
		pid_t pid = wait(&status);
		for (size_t k = 0; k < size; k++)
			if (workers[k].pid == pid) {
				workers[k].pid = 0;
				running--;
				if (!ended(workers[k].job, status))
					next = count;
			}
	}
}

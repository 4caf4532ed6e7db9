/* SPDX-License-Identifier: Apache-2.0
 * Files of this machine in which received reports wait, so that a dari that is killed loses none of them. The collector writes a
 * report here before it returns to the sockets, and deletes the file once the bucket has the requests. A file that both have is
 * written to the bucket again: a request may be in two files, and is never in none.
 *
 * A file's first line names the load balancer, and each other one is a report. Its name is PROXY.START.NUMBER: START tells the
 * processes apart. The files are not synced: a power failure may lose the last seconds. The collector's lock guards all calls. */
#pragma once

#include "reconcile/balancing/access_collector.h"

struct access_journal;

/* A load balancer's file that is being written. */
struct access_file {
	int fd; /* -1: none */
	int64_t size;
};

/* directory: made if it is absent. NULL: out of memory. */
struct access_journal *access_journal_new(const char *directory);
void access_journal_free(struct access_journal *j); /* files stay; ignores NULL */

/* Appends whole lines to the file, and opens number files->next first if there is none. If that fails, the reports are in memory
 * alone; the log has the reason. The disk's reserve
 * (base/disk_room.h) is left alone. */
void access_journal_add(struct access_journal *j, const struct access_subject *subject, int64_t from_us,
			struct access_file *file, struct access_files *files, struct str lines);
/* Ends the file: the next report begins another. */
void access_journal_end(struct access_file *file);
void access_journal_delete(struct access_journal *j, uuid proxy, struct access_files files);

/* Called with each file of former processes, in the order in which they were written. False: there is no room, and the file stays for
 * the next process. *ret_files: numbers that the file gets a new one of. */
typedef bool access_restored(void *arg, const struct access_subject *subject, int64_t from_us,
			     struct str lines, struct access_files **ret_files);
RESULT access_journal_restore(struct access_journal *j, struct ctx *c, access_restored *restored, void *arg);

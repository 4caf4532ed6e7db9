/* SPDX-License-Identifier: Apache-2.0
 * Receives that wait for a message of a queue (long polling). Their calls are parked: no thread waits. A commit that adds or shows
 * a message, or the end of the wait, lets one go on. */
#pragma once

#include "base/work_item.h"
#include "store/queue_message.h"

struct reconciler;
struct queue_waits;

/* NULL: no memory. */
struct queue_waits *queue_waits_new(struct reconciler *r);
void queue_waits_free(struct queue_waits *w); /* after the home actor has ended; NULL: nothing */
/* Lets a call that waits for the message's queue go on. On the committer. */
void queue_waits_wake(struct queue_waits *w, uuid queue);
/* The same at a later time, if a wait would look after it. */
void queue_waits_wake_at(struct queue_waits *w, uuid queue, int64_t at_us);
bool queue_waits_has(struct queue_waits *w, uuid queue);

/* Any thread without an open view. Calls item->done() once: at once if the queue has a message, else when it may have one, or at
 * until_us. ERR_AGAIN: the program ends, or there is no memory. */
void reconciler_wait_for_message(struct reconciler *r, uuid queue, int64_t until_us, struct work_item *item);

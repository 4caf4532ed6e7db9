/* SPDX-License-Identifier: Apache-2.0
 * Lanes of providers, and helpers of their steps. */
#include "reconcile/remote/lane.h"
#include "model/provider.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/random.h"
#include "reconcile/figures/cloud_figures.h"

/* AWS's buckets differ by action; all of them take this much. */
static const double RATE = 5, BURST = 20, RATE_MIN = 0.05;
enum { BACKOFF_MAX_S = 300, SET_FIRST = 256, LARGE_MIN = 1000 };

/* ---- lanes ---- */

static struct provider_lane **bucket_of(struct reconciler *r, uuid id)
{
	return &r->providers[id.b[15] % PROVIDER_BUCKETS];
}

/* A new connection each time: curl reuses an open one without the egress policy's check of its address. */
static struct provider_lane *take_idle(struct reconciler *r, uuid id)
{
	struct provider_lane *lane = r->idle_providers;
	struct remote_connection *connection = lane ? remote_connection_new() : NULL;
	if (!connection)
		return NULL;
	r->idle_providers = lane->next;
	*lane = (struct provider_lane){.id = id, .lane = lane->lane, .connection = connection};
	return lane;
}

static struct provider_lane *make_lane(struct reconciler *r, uuid id)
{
	struct provider_lane *lane = take_idle(r, id);
	if (lane)
		return lane;
	lane = heap_new(struct provider_lane);
	if (!lane)
		return NULL;
	lane->id = id;
	lane->lane.actor = actor_new(r->executor, "provider");
	lane->connection = remote_connection_new();
	if (!lane->lane.actor || !lane->connection) {
		actor_free(lane->lane.actor);
		remote_connection_free(lane->connection);
		heap_free(lane);
		return NULL;
	}
	return lane;
}

struct provider_lane *provider_lane_of(struct reconciler *r, uuid provider)
{
	(void) pthread_mutex_lock(&r->providers_lock);
	struct provider_lane **bucket = bucket_of(r, provider), *lane = *bucket;
	while (lane && !uuid_equal(lane->id, provider))
		lane = lane->next;
	if (!lane && (lane = make_lane(r, provider)) != NULL) {
		lane->next = *bucket;
		*bucket = lane;
	}
	(void) pthread_mutex_unlock(&r->providers_lock);
	return lane;
}

void provider_lane_retire(struct reconciler *r, uuid provider)
{
	(void) pthread_mutex_lock(&r->providers_lock);
	struct provider_lane **at = bucket_of(r, provider), *lane;
	while (*at && !uuid_equal((*at)->id, provider))
		at = &(*at)->next;
	if ((lane = *at) != NULL) {
		*at = lane->next;
		remote_connection_free(lane->connection);
		heap_free(lane->seen.at);
		cloud_figures_free(lane->figures);
		heap_free(lane->feed);
		*lane = (struct provider_lane){.lane = lane->lane, .next = r->idle_providers};
		r->idle_providers = lane;
	}
	(void) pthread_mutex_unlock(&r->providers_lock);
}

static void free_lanes(struct provider_lane *lane)
{
	for (struct provider_lane *next; lane; lane = next) {
		next = lane->next;
		remote_connection_free(lane->connection);
		heap_free(lane->seen.at);
		cloud_figures_free(lane->figures);
		heap_free(lane->feed);
		heap_free(lane);
	}
}

static void end_lanes(struct provider_lane *lane)
{
	for (; lane; lane = lane->next)
		actor_free(lane->lane.actor);
}

/* All steps end before the first lane is freed, because they look lanes up. */
void provider_lane_free_all(struct reconciler *r)
{
	for (size_t k = 0; k < PROVIDER_BUCKETS; k++)
		end_lanes(r->providers[k]);
	end_lanes(r->idle_providers);
	remote_leave_all(r);
	for (size_t k = 0; k < PROVIDER_BUCKETS; k++)
		free_lanes(r->providers[k]);
	free_lanes(r->idle_providers);
}

/* ---- pace ---- */

static void refill(struct pace *p, int64_t now_us)
{
	if (!p->at_us)
		*p = (struct pace){.rate = RATE, .tokens = BURST, .at_us = now_us, .slowed_us = now_us};
	if (now_us < p->at_us)
		p->at_us = now_us; /* the clock was set back */
	for (; p->rate < RATE && p->slowed_us + MINUTE <= now_us; p->slowed_us += MINUTE)
		p->rate = p->rate * 1.1 < RATE ? p->rate * 1.1 : RATE;
	p->tokens += p->rate * (double) (now_us - p->at_us) / (double) SECOND;
	if (p->tokens > BURST)
		p->tokens = BURST;
	p->at_us = now_us;
}

bool pace_take(struct pace *p, int64_t now_us, int64_t *ret_due_us)
{
	refill(p, now_us);
	if (p->tokens < 1) {
		*ret_due_us = now_us + (int64_t) ((1 - p->tokens) / p->rate * (double) SECOND) + 1;
		return false;
	}
	p->tokens -= 1;
	return true;
}

void pace_slow_down(struct pace *p, int64_t now_us)
{
	refill(p, now_us);
	p->rate = p->rate / 2 > RATE_MIN ? p->rate / 2 : RATE_MIN;
	p->tokens = 0;
	p->slowed_us = now_us;
}

int64_t remote_next_try_us(unsigned failures, int64_t wait_us)
{
	int64_t after_us = SECOND;
	for (unsigned k = 1; k < failures && after_us < BACKOFF_MAX_S * SECOND; k++)
		after_us *= 2;
	if (after_us > BACKOFF_MAX_S * SECOND)
		after_us = BACKOFF_MAX_S * SECOND;
	after_us = after_us / 2 + (int64_t) random_below((uint64_t) after_us + 1);
	return clock_now_us() + (wait_us > after_us ? wait_us : after_us);
}

bool remote_may_help_later(enum err err)
{
	return err == ERR_GONE || err == ERR_TIMEOUT || err == ERR_AGAIN || err == ERR_IO ||
	       err == ERR_THROTTLED;
}

/* ---- sets of ids ---- */

static size_t place_of(const struct id_set *set, uuid id)
{
	uint64_t words[2];
	memcpy(words, id.b, sizeof words);
	size_t k = hash_mix(words[0] ^ words[1]) & (set->capacity - 1);
	while (!uuid_is_none(set->at[k]) && !uuid_equal(set->at[k], id))
		k = (k + 1) & (set->capacity - 1);
	return k;
}

static bool grow(struct id_set *set)
{
	struct id_set larger = {.count = set->count,
				.capacity = set->capacity ? 2 * set->capacity : SET_FIRST};
	larger.at = heap_alloc_array(larger.capacity, sizeof *larger.at);
	if (!larger.at)
		return false;
	for (size_t k = 0; k < set->capacity; k++)
		if (!uuid_is_none(set->at[k]))
			larger.at[place_of(&larger, set->at[k])] = set->at[k];
	heap_free(set->at);
	*set = larger;
	return true;
}

bool id_set_add(struct id_set *set, uuid id)
{
	if (2 * set->count >= set->capacity && !grow(set))
		return false;
	size_t k = place_of(set, id);
	set->count += uuid_is_none(set->at[k]);
	set->at[k] = id;
	return true;
}

bool id_set_has(const struct id_set *set, uuid id)
{
	return set->capacity && !uuid_is_none(set->at[place_of(set, id)]);
}

void id_set_clear(struct id_set *set)
{
	heap_free(set->at);
	*set = (struct id_set){0};
}

/* ---- listings ---- */

void lane_begin_listing(struct provider_lane *lane)
{
	lane->is_listing = true;
	lane->is_read = false;
	lane->began_us = clock_now_us();
	lane->cursor[0] = lane->stack[0] = '\0';
	lane->pages = lane->others = lane->unnamed = 0;
	lane->unnamed_id[0] = '\0';
	id_set_clear(&lane->seen);
}

RESULT lane_keep_cursor(struct step *s, struct provider_lane *lane, struct str cursor)
{
	if (cursor.n > PROVIDER_CURSOR_MAX || str_is(cursor, lane->cursor))
		return ctx_fail(&s->ctx, ERR_IO,
				"The answer is not usable: the next page has no usable token.");
	memcpy(lane->cursor, cursor.p, cursor.n);
	lane->cursor[cursor.n] = '\0';
	return OK;
}

void lane_end_listing(struct provider_lane *lane)
{
	lane->is_listing = false;
	lane->failures = 0;
	lane->ended_large = lane->seen.count >= LARGE_MIN;
	id_set_clear(&lane->seen);
	lane->ended_us = clock_now_us();
	lane->ended_resources = lane->is_of_resources;
}

/* ---- opening ---- */

RESULT remote_open(struct step *s, const struct provider *p, struct provider_lane *lane,
		   struct remote *ret_remote)
{
	*ret_remote = (struct remote){.name = p->name,
				      .endpoint = p->endpoint,
				      .region = p->region,
				      .project = p->project,
				      .domain = p->domain,
				      .login = p->login,
				      .ca = p->ca,
				      .pin = p->pin,
				      .queue = p->queue,
				      .is_trusted = p->is_trusted,
				      .reach = s->r->reach,
				      .timeout_us = REMOTE_TIMEOUT_S * SECOND,
				      .connection = lane->connection};
	return crypto_open(&s->ctx, s->r->master_key,
			   (struct str){(const char *) p->row.id.b, sizeof p->row.id.b}, p->secret,
			   &ret_remote->secret);
}

void remote_close(struct remote *r)
{
	crypto_wipe((void *) r->secret.p, r->secret.n); /* the copy in our arena */
	r->secret = STR_NONE;
}

/* SPDX-License-Identifier: Apache-2.0
 * Desks and their reports, for the tests of tickets: what the reconciler would have seen there. */
#pragma once

#include "cloud.h"

#include "engine/support/desk.h"
#include "engine/support/ticket.h"
#include "engine/support/ticket_sync.h"
#include "store/desk.h"
#include "store/support_ticket.h"
#include "store/ticket_attachment.h"
#include "store/ticket_link.h"
#include "store/ticket_message.h"
#include "store/ticket_sending.h"

/* A moment passes with each call: no two rows have the same time. */
#define RUN(c, who, operation, wish)                                                                         \
	do {                                                                                                 \
		clock_set_us(clock_now_us() + MILLISECOND);                                                  \
		cloud_ok((c), (who), operation, (wish));                                                     \
	} while (0)

static inline struct desk_wish desk_named(const char *name, enum desk_role role)
{
	return (struct desk_wish){.id = id_new(KIND_DESK),
				  .name = str_from(name),
				  .url = STR("http://desk.example"),
				  .driver = DESK_SPEAKS_RT,
				  .mode = DESK_MODE_MIRROR,
				  .role = (int) role};
}

static inline uuid make_operators_desk(struct cloud *c, const char *name)
{
	struct desk_wish wish = desk_named(name, DESK_ROLE_OPERATOR);
	RUN(c, &c->operator, engine_put_desk, &wish);
	return wish.desk;
}

static inline uuid make_vendors_desk(struct cloud *c, const char *name, const char *product)
{
	struct desk_wish wish = desk_named(name, DESK_ROLE_VENDOR);
	struct str products[] = {str_from(product)};
	wish.has_products = true;
	wish.products = (struct strs){products, 1};
	RUN(c, &c->operator, engine_put_desk, &wish);
	return wish.desk;
}

static inline struct ref ticket_ref(uuid ticket)
{
	return ref_by_id(KIND_SUPPORT_TICKET, ticket);
}

static inline uuid open_ticket(struct cloud *c, const char *subject)
{
	struct ticket_wish wish = {.subject = str_from(subject), .body = STR("It does not boot.")};
	RUN(c, &c->alice, engine_open_ticket, &wish);
	return wish.ticket;
}

static inline void say_in(struct cloud *c, uuid ticket, const char *body)
{
	struct ticket_saying wish = {.ticket = ticket_ref(ticket), .body = str_from(body)};
	RUN(c, &c->alice, engine_say_in_ticket, &wish);
}

static inline const struct support_ticket *ticket_at(const struct cloud *c, uuid ticket)
{
	return support_ticket_find(cloud_tables(c), ticket);
}

static inline enum ticket_state ticket_state_at(const struct cloud *c, uuid ticket)
{
	return engine_get_ticket_state(cloud_tables(c), ticket_at(c, ticket), NULL);
}

/* The ticket's link with a desk, or NULL. */
static inline const struct ticket_link *link_at(const struct cloud *c, uuid ticket, uuid desk)
{
	const struct tables *t = cloud_tables(c);
	const struct ticket_link *l = ticket_link_first_by_ticket(t, ticket);
	while (l && !uuid_equal(l->desk, desk))
		l = ticket_link_next_by_ticket(t, l);
	return l;
}

static inline size_t count_sendings(const struct cloud *c, uuid link, enum ticket_sending_stage stage)
{
	const struct tables *t = cloud_tables(c);
	size_t count = 0;
	for (const struct ticket_sending *s = ticket_sending_first_by_link(t, link); s;
	     s = ticket_sending_next_by_link(t, s))
		count += s->stage == stage;
	return count;
}

/* The desk refuses the next item, or cannot be reached, or takes it. */
static inline uuid refuse_next(struct cloud *c, uuid link)
{
	struct sending_report report = {.sending = engine_next_sending(cloud_tables(c), link)->row.id,
					.problem = STR("400"),
					.is_final = true};
	RUN(c, NULL, engine_see_sending, &report);
	return report.sending;
}

static inline void fail_next(struct cloud *c, uuid link)
{
	struct sending_report report = {.sending = engine_next_sending(cloud_tables(c), link)->row.id,
					.problem = STR("no route"),
					.retry_us = clock_now_us() + HOUR};
	RUN(c, NULL, engine_see_sending, &report);
}

/* Everything that waits for the desk arrives there; its ids there are the text and a number. */
static inline void send_all(struct cloud *c, uuid link, const char *foreign_id)
{
	int number = 0;
	for (const struct ticket_sending *s; (s = engine_next_sending(cloud_tables(c), link));) {
		struct link_made made = {link, str_from(foreign_id), STR_NONE, STR_NONE};
		struct sending_report report = {.sending = s->row.id,
						.is_sent = true,
						.origin = str_print(c->arena, "%s-%d", foreign_id, ++number)};
		if (s->what == TICKET_SENDING_WHAT_CREATE)
			RUN(c, NULL, engine_see_link_made, &made);
		RUN(c, NULL, engine_see_sending, &report);
	}
}

/* A ticket of alice's that is at that desk, with nothing left to send. */
static inline uuid open_at(struct cloud *c, uuid desk, const char *subject)
{
	uuid ticket = open_ticket(c, subject);
	send_all(c, link_at(c, ticket, desk)->row.id, subject);
	return ticket;
}

static inline struct desk_item item_of(const char *origin, const char *body)
{
	return (struct desk_item){.origin = str_from(origin), .author = STR("kim"), .body = str_from(body)};
}

static inline void see_items(struct cloud *c, uuid link, const struct desk_item *items, size_t count)
{
	struct link_report report = {.link = link,
				     .items = items,
				     .item_count = count,
				     .read_to = count ? items[count - 1].origin : STR_NONE,
				     .is_current = true};
	RUN(c, NULL, engine_see_link, &report);
}

static inline void see_state(struct cloud *c, uuid link, enum ticket_state state)
{
	struct link_report report = {.link = link, .has_state = true, .state = state, .is_current = true};
	RUN(c, NULL, engine_see_link, &report);
}

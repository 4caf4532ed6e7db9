/* SPDX-License-Identifier: Apache-2.0
 * A ticket and its copy at a desk. The customer and the desk's staff write and resolve at every point of the
 * exchange between Dari and the desk: the last writer determines the state. The desk reopens a resolved
 * ticket for any message, like Request Tracker. */
#include "cloud.h"

#include <string.h>

#include "engine/support/desk.h"
#include "engine/support/ticket.h"
#include "engine/support/ticket_sync.h"
#include "store/desk.h"
#include "store/support_ticket.h"
#include "store/ticket_attachment.h"
#include "store/ticket_link.h"
#include "store/ticket_sending.h"

/* The exchange in progress: done at the desk, and its result not yet recorded here. */
enum { NOTHING_PENDS, A_LOOK_PENDS, A_SENDING_PENDS };
/* Variants: the desk is polled before each step, or only if nothing else remains to be done. */
enum { POLLS_EAGERLY = 1, LOSES_AN_ANSWER = 2, WAYS = 4 };

struct play {
	struct cloud *c;
	uuid desk, ticket, link;
	int way;
	/* at the desk: */
	bool is_made;
	enum ticket_state state;
	uuid told[16]; /* the messages that are there, by their sendings */
	size_t told_count;
	int changes, polled; /* what happened there, and how much of it was asked for */
	/* between the two: */
	int pends;
	uuid sending;            /* that pends */
	enum ticket_state looks; /* as the desk had it when the look began */
	bool answer_is_lost, has_lost;
};

/* Each thing takes a moment: no two have the same time. */
#define RUN(p, who, operation, wish)                                                                         \
	do {                                                                                                 \
		clock_set_us(clock_now_us() + MILLISECOND);                                                  \
		cloud_ok((p)->c, (who), operation, (wish));                                                  \
	} while (0)

/* ---- the customer, and the desk's people ---- */

static struct ref ticket_of(const struct play *p)
{
	return ref_by_id(KIND_SUPPORT_TICKET, p->ticket);
}

static enum ticket_state state_of(const struct play *p)
{
	const struct tables *t = cloud_tables(p->c);
	return engine_get_ticket_state(t, support_ticket_find(t, p->ticket), NULL);
}

static void say(struct play *p)
{
	struct ticket_saying wish = {.ticket = ticket_of(p), .body = STR("It is so.")};
	RUN(p, &p->c->alice, engine_say_in_ticket, &wish);
	assert_true(uuid_equal(wish.said_in, p->ticket));
}

static void resolve(struct play *p)
{
	struct ticket_change wish = {.ticket = ticket_of(p), .wish = SUPPORT_TICKET_WISH_RESOLVED};
	RUN(p, &p->c->alice, engine_change_ticket, &wish);
	assert_int_equal(wish.after, TICKET_RESOLVED);
}

static void move_at_desk(struct play *p, enum ticket_state state)
{
	p->changes += p->state != state;
	p->state = state;
}

/* s, r: the customer says something, resolves it; R, O: the desk's people resolve it once they have it, open what is resolved. */
static void act(struct play *p, char what)
{
	if (what == 's')
		say(p);
	else if (what == 'r')
		resolve(p);
	else if (what == 'R' ? p->is_made : p->state == TICKET_RESOLVED)
		move_at_desk(p, what == 'R' ? TICKET_RESOLVED : TICKET_WORKING);
}

/* ---- the desk, as a driver meets it ---- */

static bool desk_has(const struct play *p, uuid sending)
{
	for (size_t k = 0; k < p->told_count; k++)
		if (uuid_equal(p->told[k], sending))
			return true;
	return false;
}

static void tell_desk(struct play *p, uuid sending)
{
	assert_true(p->told_count < sizeof p->told / sizeof p->told[0]);
	p->told[p->told_count++] = sending;
	p->changes++;
	if (p->state == TICKET_NEW || p->state == TICKET_RESOLVED)
		move_at_desk(p, TICKET_WORKING);
	if (p->way & LOSES_AN_ANSWER && !p->has_lost)
		p->answer_is_lost = p->has_lost = true;
}

static void begin_sending(struct play *p, const struct ticket_sending *s)
{
	p->pends = A_SENDING_PENDS;
	p->sending = s->row.id;
	p->answer_is_lost = false;
	if (s->what == TICKET_SENDING_WHAT_CREATE)
		p->is_made = true;
	else if (s->what == TICKET_SENDING_WHAT_MESSAGE && !desk_has(p, s->row.id))
		tell_desk(p, s->row.id);
	else if (s->what == TICKET_SENDING_WHAT_STATE)
		move_at_desk(p, str_is(s->value, "resolved")  ? TICKET_RESOLVED
				: p->state == TICKET_RESOLVED ? TICKET_WORKING
							      : p->state);
}

static void end_sending(struct play *p)
{
	const struct ticket_sending *s = ticket_sending_find(cloud_tables(p->c), p->sending);
	struct link_made made = {p->link, STR("1"), STR("1"), STR("http://desk.example/1")};
	struct sending_report report = {.sending = p->sending,
					.is_sent = !p->answer_is_lost,
					.retry_us = p->answer_is_lost ? clock_now_us() + SECOND : 0};
	if (s->what == TICKET_SENDING_WHAT_CREATE)
		RUN(p, NULL, engine_see_link_made, &made);
	RUN(p, NULL, engine_see_sending, &report);
}

static void end_look(struct play *p)
{
	struct link_report report = {
		.link = p->link, .has_state = true, .state = p->looks, .is_current = true};
	RUN(p, NULL, engine_see_link, &report);
}

/* ---- the reconciler: a poll, or half a step ---- */

static void poll(struct play *p)
{
	struct str id = STR("1");
	struct desk_report report = {.desk = p->desk, .changed = {&id, 1}};
	p->polled = p->changes;
	RUN(p, NULL, engine_see_desk, &report);
}

static bool end_step(struct play *p)
{
	int pends = p->pends;
	p->pends = NOTHING_PENDS;
	if (pends == A_LOOK_PENDS)
		end_look(p);
	else if (pends == A_SENDING_PENDS)
		end_sending(p);
	return pends != NOTHING_PENDS;
}

static bool begin_step(struct play *p)
{
	const struct tables *t = cloud_tables(p->c);
	const struct ticket_link *l = ticket_link_find(t, p->link);
	const struct ticket_sending *s = engine_next_sending(t, p->link);
	if (l->is_asked && l->foreign_id.n) {
		p->pends = A_LOOK_PENDS;
		p->looks = p->state;
	} else if (s && clock_now_us() >= l->retry_us) {
		begin_sending(p, s);
	}
	return p->pends != NOTHING_PENDS;
}

/* false: nothing is left to do. */
static bool go_on(struct play *p)
{
	if (end_step(p))
		return true;
	if (p->way & POLLS_EAGERLY && p->polled != p->changes)
		poll(p);
	if (begin_step(p))
		return true;
	int64_t retry_us = ticket_link_find(cloud_tables(p->c), p->link)->retry_us;
	if (p->polled != p->changes)
		poll(p);
	else if (retry_us > clock_now_us())
		clock_set_us(retry_us);
	else
		return false;
	return true;
}

/* ---- plays ---- */

OPERATION(forget_tickets, ticket_target)
RESULT forget_tickets(struct op *op, struct ticket_target *wish)
{
	return support_ticket_forget(op, wish->ticket); /* the outbox and the links go with it */
}

static struct play begin_play(struct cloud *c, uuid desk, int way)
{
	struct ticket_wish wish = {.subject = STR("It hangs"), .body = STR("It does not boot.")};
	struct play p = {.c = c, .desk = desk, .way = way};
	RUN(&p, &c->alice, engine_open_ticket, &wish);
	p.ticket = wish.ticket;
	p.link = ticket_link_first_by_ticket(cloud_tables(c), p.ticket)->row.id;
	return p;
}

enum end { IS_OVER, GOES_ON, AGREES /* either, and the same here and there */ };

/* Once the outbox is empty and the desk was asked. */
static void check_end(struct play *p, const char *acts, const int *at, enum end end)
{
	const struct tables *t = cloud_tables(p->c);
	bool is_over = ticket_is_over(state_of(p)), is_over_there = ticket_is_over(p->state);
	size_t said = 0;
	for (size_t k = 0; acts[k]; k++)
		said += acts[k] == 's';
	if (is_over != is_over_there || (end == IS_OVER && !is_over) || (end == GOES_ON && is_over)) {
		print_message("%s, way %d, before the half steps", acts, p->way);
		for (size_t k = 0; acts[k]; k++)
			print_message(" %d", at[k]);
		print_message(": %s here, %s at the desk\n", ticket_state_words[state_of(p)],
			      ticket_state_words[p->state]);
		fail();
	}
	assert_null(engine_next_sending(t, p->link));
	assert_int_equal(p->told_count, said);
	assert_int_equal(ticket_link_find(t, p->link)->state, p->state);
}

/* Each act comes before that half step which has its number, or once nothing else is left to do. */
static void play(struct cloud *c, uuid desk, int way, const char *acts, const int *at, enum end end)
{
	struct play p = begin_play(c, desk, way);
	size_t next = 0, count = strlen(acts);
	int half = 0;
	for (bool goes_on = true; goes_on || next < count; half++) {
		while (next < count && (at[next] <= half || !goes_on))
			act(&p, acts[next++]);
		goes_on = go_on(&p);
	}
	check_end(&p, acts, at, end);
	struct ticket_target target = {p.ticket};
	RUN(&p, NULL, forget_tickets, &target);
}

/* Every way that the acts can fall between the half steps of what passes between Dari and the desk. */
static void play_all(struct cloud *c, const char *acts, enum end end)
{
	enum { LAST = 10, ACTS_MAX = 3 };
	uuid desk = desk_first(cloud_tables(c))->row.id;
	int at[ACTS_MAX] = {0};
	size_t count = strlen(acts), moves = 1;
	assert_true(count <= ACTS_MAX);
	while (moves > 0) {
		for (int way = 0; way < WAYS; way++)
			play(c, desk, way, acts, at, end);
		for (moves = count; moves > 0 && at[moves - 1] == LAST; moves--)
			;
		int next = moves > 0 ? at[moves - 1] + 1 : 0;
		for (size_t k = moves; moves > 0 && k <= count; k++)
			at[k - 1] = next;
	}
}

static int make_desk(void **state)
{
	int made = cloud_setup(state);
	struct cloud *c = *state;
	struct desk_wish wish = {.id = id_new(KIND_DESK),
				 .name = STR("desk"),
				 .url = STR("http://desk.example"),
				 .driver = DESK_SPEAKS_RT,
				 .mode = DESK_MODE_MIRROR,
				 .role = DESK_ROLE_OPERATOR};
	cloud_ok(c, &c->operator, engine_put_desk, &wish);
	c->skips_dumps = true;
	return made;
}

static void what_its_customer_resolves_last_stays_resolved(void **state)
{
	play_all(*state, "r", IS_OVER);
	play_all(*state, "sr", IS_OVER);
	play_all(*state, "rsr", IS_OVER);
}

static void also_where_the_desk_resolves_it(void **state)
{
	play_all(*state, "sRr", IS_OVER);
	play_all(*state, "Rsr", IS_OVER);
}

static void what_its_customer_says_behind_it_opens_it(void **state)
{
	play_all(*state, "rs", GOES_ON);
	play_all(*state, "rRs", GOES_ON);
}

static void what_the_desk_opens_is_so_here_too(void **state)
{
	play_all(*state, "rO", AGREES);
	play_all(*state, "rOs", GOES_ON);
	play_all(*state, "rOr", AGREES);
}

static void facts_of_what_is_over_open_it_nowhere(void **state)
{
	struct cloud *c = *state;
	struct play p = begin_play(c, desk_first(cloud_tables(c))->row.id, 0);
	struct ticket_refresh again = {.ticket = ticket_of(&p)};
	struct ticket_facts facts = {
		.ticket = p.ticket, .files = {{.name = STR("facts.txt"), .size = 1}}, .file_count = 1};
	RUN(&p, &c->operator, engine_refresh_ticket_facts, &again);
	resolve(&p);
	facts.files[0].id = id_new(KIND_TICKET_ATTACHMENT);
	RUN(&p, NULL, engine_see_ticket_facts, &facts);
	assert_null(ticket_attachment_first_by_ticket(cloud_tables(c), p.ticket));
	say(&p);
	RUN(&p, NULL, engine_see_ticket_facts, &facts);
	assert_non_null(ticket_attachment_first_by_ticket(cloud_tables(c), p.ticket));
}

static void a_private_file_is_the_desks(void **state)
{
	struct cloud *c = *state;
	struct play p = begin_play(c, desk_first(cloud_tables(c))->row.id, 0);
	struct ticket_attaching wish = {
		.ticket = ticket_of(&p),
		.file = {.id = id_new(KIND_TICKET_ATTACHMENT), .name = STR("note.txt"), .size = 1},
		.is_private = true};
	cloud_fails(c, &c->alice, engine_attach_to_ticket, &wish, ERR_DENIED, KIND_SUPPORT_TICKET);
	RUN(&p, &c->operator, engine_attach_to_ticket, &wish);
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, make_desk, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_cloud(what_its_customer_resolves_last_stays_resolved),
		in_a_cloud(also_where_the_desk_resolves_it),
		in_a_cloud(what_its_customer_says_behind_it_opens_it),
		in_a_cloud(what_the_desk_opens_is_so_here_too),
		in_a_cloud(facts_of_what_is_over_open_it_nowhere),
		in_a_cloud(a_private_file_is_the_desks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

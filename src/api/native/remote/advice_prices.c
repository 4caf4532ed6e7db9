/* SPDX-License-Identifier: Apache-2.0
 * Prices in advice about remote machines. A price that is not known is left out, with a note, and never counts as 0. A month is
 * 730 hours of a running machine; disks and traffic are not part of it. */
#include "api/native/remote/advice_prices.h"

#include "base/clock.h"
#include "engine/billing/costs.h"
#include "store/account.h"
#include "store/instance_type.h"
#include "store/provider.h"
#include "store/remote_machine.h"

static const struct provider *provider_of_machine(const struct advice_prices *p)
{
	return provider_find(native_tables(p->e), p->machine->provider);
}

RESULT advice_prices_begin(struct advice_prices *p, struct native_call *e, const struct remote_machine *m,
			   const struct price_book *book)
{
	const struct tables *t = native_tables(e);
	bool is_shared = !engine_is_own(e->c, KIND_REMOTE_MACHINE, &m->row);
	uuid payer = is_shared ? engine_get_account(e->c) : m->account;
	const struct account *account = account_find(t, payer);
	struct cost_scope scope;
	*p = (struct advice_prices){.e = e,
				    .machine = m,
				    .is_shared = is_shared,
				    .pricing = {.book = book, .at_s = clock_now_us() / SECOND}};
	TRY(costs_find_scope(e->c, t, payer, &scope));
	TRY(billing_find_payer(e->c, t, account, scope.issuer, &p->pricing.payer));
	const struct provider *provider = provider_of_machine(p);
	if (provider && m->type.n && !is_shared)
		TRY(engine_find_remote_rate(e->c, &p->pricing, provider, m->type, &p->present));
	p->lacks_price = !p->present.is_known;
	return OK;
}

static void write_rate(const struct remote_rate *rate, struct json_writer *w)
{
	json_write_open(w, "price");
	json_write_text(w, "currency", rate->currency);
	json_write_int(w, "hour_micro", rate->hour_micro);
	json_write_int(w, "month_micro", rate->hour_micro * HOURS_OF_MONTH);
	json_write_z(w, "source", rate->is_of_list ? "price_list" : "provider");
	json_write_close(w);
}

/* Writes a rate, and the difference to the present one if both are in one currency. */
static void write_compared(struct advice_prices *p, struct json_writer *w, const struct remote_rate *rate)
{
	p->lacks_price |= !rate->is_known;
	if (!rate->is_known)
		return;
	write_rate(rate, w);
	if (!p->present.is_known)
		return;
	if (str_equal(rate->currency, p->present.currency))
		json_write_int(w, "saves_month_micro",
			       (p->present.hour_micro - rate->hour_micro) * HOURS_OF_MONTH);
	else
		p->mixes_currencies = true;
}

void advice_prices_write_present(const struct advice_prices *p, struct json_writer *w)
{
	if (p->present.is_known)
		write_rate(&p->present, w);
}

RESULT advice_prices_write_type(struct advice_prices *p, struct json_writer *w, struct str type)
{
	const struct provider *provider = provider_of_machine(p);
	struct remote_rate rate = {0};
	if (provider && !p->is_shared)
		TRY(engine_find_remote_rate(p->e->c, &p->pricing, provider, type, &rate));
	write_compared(p, w, &rate);
	return OK;
}

/* ---- types of this region ---- */

struct local_choice {
	const struct instance_type *type;
	struct remote_rate rate;
};

static bool holds(const struct advice_prices *p, const struct instance_type *type, int64_t vcpus,
		  int64_t memory, struct str architecture)
{
	return type->vcpus >= vcpus && type->memory >= memory && type->current_generation &&
	       str_is(architecture, instance_type_arch_words[type->arch]) &&
	       engine_may_see(p->e->c, KIND_INSTANCE_TYPE, &type->row);
}

/* Types with a price come first: a type without one cannot be compared. */
static bool is_better(const struct local_choice *a, const struct local_choice *b)
{
	if (!b->type || a->rate.is_known != b->rate.is_known)
		return !b->type || a->rate.is_known;
	if (a->type->vcpus != b->type->vcpus)
		return a->type->vcpus < b->type->vcpus;
	return a->type->memory != b->type->memory ? a->type->memory < b->type->memory
						  : str_compare(a->type->name, b->type->name) < 0;
}

static RESULT choose_here(struct advice_prices *p, int64_t vcpus, int64_t memory, struct str architecture,
			  struct local_choice *ret_choice)
{
	const struct tables *t = native_tables(p->e);
	*ret_choice = (struct local_choice){0};
	for (const struct instance_type *type = instance_type_first(t); type;
	     type = instance_type_next(t, type)) {
		struct local_choice next = {.type = type};
		if (!holds(p, type, vcpus, memory, architecture))
			continue;
		TRY(engine_find_local_rate(p->e->c, &p->pricing, type, &next.rate));
		if (is_better(&next, ret_choice))
			*ret_choice = next;
	}
	return OK;
}

RESULT advice_prices_write_here(struct advice_prices *p, struct json_writer *w, int64_t vcpus, int64_t memory,
				struct str architecture)
{
	struct local_choice choice;
	if (!vcpus || !memory)
		return OK;
	TRY(choose_here(p, vcpus, memory, architecture.n ? architecture : STR("x86_64"), &choice));
	if (!choice.type)
		return OK;
	json_write_open(w, "here");
	json_write_text(w, "type", choice.type->name);
	json_write_int(w, "vcpus", choice.type->vcpus);
	json_write_int(w, "memory", choice.type->memory);
	write_compared(p, w, &choice.rate);
	json_write_close(w);
	return OK;
}

void advice_prices_write_note(const struct advice_prices *p, struct json_writer *w)
{
	if (p->is_shared)
		json_write_z(w, "price_note", "The owner of the provider shares no prices.");
	else if (p->lacks_price)
		json_write_z(w, "price_note",
			     "Not every price is known. Load the other cloud's prices with `dari provider "
			     "prices`, and this region's with `dari prices load`.");
	else if (p->mixes_currencies)
		json_write_z(w, "price_note",
			     "Prices in different currencies are not compared. Load the other cloud's prices "
			     "in the currency of this region's price list.");
}

/* SPDX-License-Identifier: Apache-2.0
 * Shared functions of the billing commands. */
#pragma once

#include "daemon/command.h"
#include "engine/billing/invoices.h"

struct domain;

/* A statement line's values besides its sums. */
struct statement_price {
	int64_t price;
	enum unit unit;
	struct str currency;
};

/* Parses the parameter "month". ERR_INVALID. */
RESULT command_month_arg(struct command_call *call, struct month absent, struct month *ret_month);
/* Parses "0.0104" to millionths; unchanged if not given. ERR_INVALID. */
RESULT command_micro_arg(struct command_call *call, const char *name, int64_t *ret_millionths);
/* Invoices (bill_invoice.c): the invoices of closing the month; billing accounts that bill others; the
 * commands' functions. */
struct domains {
	const struct domain *at;
	size_t count;
};
RESULT bill_list_issuers(struct command_call *call, struct domains *ret_issuers);
RESULT bill_draft_invoices(struct command_call *call, struct month month, int64_t now_us,
			   struct invoices_wish *ret_wish);
RESULT bill_invoices(struct command_call *call);
RESULT bill_invoice(struct command_call *call);
RESULT bill_void(struct command_call *call);
/* Write an invoice from its JSON (bill_invoice_page.c). */
RESULT bill_write_page(struct buf *out, const json_t *invoice);
RESULT bill_write_csv(struct buf *out, const json_t *invoice);
/* FOCUS 1.4's invoice datasets (bill_datasets.c). closed_us 0: the month is open. */
RESULT bill_write_invoice_detail(struct ctx *c, struct buf *out, const struct kept_invoice *const *invoices,
				 size_t count, struct month month);
RESULT bill_write_billing_period(struct ctx *c, struct buf *out, struct month month, struct str issuer,
				 int64_t closed_us, int64_t now_us);
/* dari bill export (bill_export.c). */
RESULT bill_export(struct command_call *call);
/* Prints a charge's price and its log records (commands_bill.c). ERR_NOT_FOUND. */
RESULT bill_explain(struct command_call *call, struct str charge);

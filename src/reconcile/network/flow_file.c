/* SPDX-License-Identifier: Apache-2.0
 * Files of flow logs. Source of fields, names and folders: Amazon VPC User Guide, "Flow log records" and "Flow log files". */
#include "reconcile/network/flow_file.h"

#include <inttypes.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/random.h"

enum { GZIP_WINDOW = 15 + 16 };

void flow_file_head(struct buf *b, const struct flow_format *format)
{
	for (size_t k = 0; k < format->count; k++)
		buf_print(b, "%s%s", k ? " " : "", flow_field_names[format->fields[k]]);
	buf_add_char(b, '\n');
}

static void put_text(struct buf *b, struct str text)
{
	buf_add_str(b, text.n ? text : STR("-"));
}

static void put_number(struct buf *b, const struct flow_record *r, int64_t number)
{
	if (r)
		buf_print(b, "%" PRId64, number);
	else
		buf_add_char(b, '-');
}

/* The interface's own side shows its primary address, as in EC2, unless it is what the packet had (pkt-…). */
static void put_ip(struct buf *b, const struct flow_interface *of, const struct flow_record *r,
		   bool is_source, bool is_packets)
{
	char text[IP_TEXT_SIZE];
	if (!r) {
		buf_add_char(b, '-');
		return;
	}
	struct ip ip = is_source ? r->source : r->destination;
	bool is_own = r->is_out == is_source;
	if (is_own && !is_packets && ip.family == IP_V4 && of->ip.family == IP_V4)
		ip = of->ip;
	buf_print(b, "%s", ip_write(ip, text));
}

static void put_word(struct buf *b, const struct flow_record *r, bool is_first, const char *first,
		     const char *second)
{
	buf_print(b, "%s", !r ? "-" : is_first ? first : second);
}

struct line {
	const struct flow_format *format;
	const struct flow_interval *interval;
	const struct flow_interface *of;
	const struct flow_record *r; /* NULL: no flow */
	const char *status;
};

static void put_field(struct buf *b, const struct line *line, enum flow_field field)
{
	const struct flow_interface *of = line->of;
	const struct flow_record *r = line->r;
	switch (field) {
	case FLOW_FIELD_VERSION:
		buf_print(b, "%d", line->format->version);
		break;
	case FLOW_FIELD_ACCOUNT_ID:
		put_text(b, of->account);
		break;
	case FLOW_FIELD_INTERFACE_ID:
		put_text(b, of->interface);
		break;
	case FLOW_FIELD_SRCADDR:
		put_ip(b, of, r, true, false);
		break;
	case FLOW_FIELD_DSTADDR:
		put_ip(b, of, r, false, false);
		break;
	case FLOW_FIELD_SRCPORT:
		put_number(b, r, r ? r->source_port : 0);
		break;
	case FLOW_FIELD_DSTPORT:
		put_number(b, r, r ? r->destination_port : 0);
		break;
	case FLOW_FIELD_PROTOCOL:
		put_number(b, r, r ? r->protocol : 0);
		break;
	case FLOW_FIELD_PACKETS:
		put_number(b, r, r ? r->packets : 0);
		break;
	case FLOW_FIELD_BYTES:
		put_number(b, r, r ? r->bytes : 0);
		break;
	case FLOW_FIELD_START:
		buf_print(b, "%" PRId64, (r ? r->start_us : line->interval->from_us) / SECOND);
		break;
	case FLOW_FIELD_END:
		buf_print(b, "%" PRId64, (r ? r->end_us : line->interval->to_us) / SECOND);
		break;
	case FLOW_FIELD_ACTION:
		put_word(b, r, r && r->is_reject, "REJECT", "ACCEPT");
		break;
	case FLOW_FIELD_LOG_STATUS:
		buf_print(b, "%s", line->status);
		break;
	case FLOW_FIELD_VPC_ID:
		put_text(b, of->vpc);
		break;
	case FLOW_FIELD_SUBNET_ID:
		put_text(b, of->subnet);
		break;
	case FLOW_FIELD_INSTANCE_ID:
		put_text(b, of->instance);
		break;
	case FLOW_FIELD_TYPE:
		put_word(b, r, r && r->source.family == IP_V6, "IPv6", "IPv4");
		break;
	case FLOW_FIELD_PKT_SRCADDR:
		put_ip(b, of, r, true, true);
		break;
	case FLOW_FIELD_PKT_DSTADDR:
		put_ip(b, of, r, false, true);
		break;
	case FLOW_FIELD_REGION:
		put_text(b, line->interval->region);
		break;
	case FLOW_FIELD_AZ_ID:
		put_text(b, of->zone);
		break;
	case FLOW_FIELD_FLOW_DIRECTION:
		put_word(b, r, r && r->is_out, "egress", "ingress");
		break;
	/* No zone is within another, and no address is AWS's. */
	case FLOW_FIELD_SUBLOCATION_TYPE:
	case FLOW_FIELD_SUBLOCATION_ID:
	case FLOW_FIELD_PKT_SRC_AWS_SERVICE:
	case FLOW_FIELD_PKT_DST_AWS_SERVICE:
	case FLOW_FIELD_COUNT:
		buf_add_char(b, '-');
		break;
	}
}

static void put_line(struct buf *b, const struct line *line)
{
	for (size_t k = 0; k < line->format->count; k++) {
		if (k)
			buf_add_char(b, ' ');
		put_field(b, line, line->format->fields[k]);
	}
	buf_add_char(b, '\n');
}

void flow_file_record(struct buf *b, const struct flow_format *format, const struct flow_interval *interval,
		      const struct flow_interface *of, const struct flow_record *record)
{
	put_line(b, &(const struct line){format, interval, of, record, "OK"});
}

void flow_file_status(struct buf *b, const struct flow_format *format, const struct flow_interval *interval,
		      const struct flow_interface *of, const char *status)
{
	put_line(b, &(const struct line){format, interval, of, NULL, status});
}

RESULT flow_file_compress(struct ctx *c, struct str text, struct buf *into)
{
	z_stream z = {.next_in = (Bytef *) text.p, .avail_in = (uInt) text.n};
	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return ctx_no_memory(c);
	size_t room = deflateBound(&z, (uLong) text.n);
	if (!buf_reserve(into, room)) {
		(void) deflateEnd(&z);
		return ctx_no_memory(c);
	}
	z.next_out = (Bytef *) into->p;
	z.avail_out = (uInt) room;
	int code = deflate(&z, Z_FINISH);
	into->size = room - z.avail_out;
	(void) deflateEnd(&z);
	return code == Z_STREAM_END ? OK : ctx_fail(c, ERR_IO, "the flow log cannot be compressed");
}

struct str flow_file_name(struct arena *a, struct str folder, struct str account, struct str log,
			  const struct flow_interval *interval, bool is_hourly)
{
	struct clock_date date = clock_date_of(interval->from_us / (24 * HOUR));
	unsigned hour = (unsigned) (interval->from_us / HOUR % 24),
		 minute = (unsigned) (interval->from_us / MINUTE % 60);
	struct str day = str_print(a, "%04d/%02u/%02u", (int) date.year, date.month, date.day);
	struct str time =
		str_print(a, "%04d%02u%02uT%02u%02uZ", (int) date.year, date.month, date.day, hour, minute);
	struct str place = is_hourly ? str_print(a, "%" STR_FMT "/%02u", STR_ARG(day), hour) : day;
	return str_print(a,
			 "%" STR_FMT "%sAWSLogs/%" STR_FMT "/vpcflowlogs/%" STR_FMT "/%" STR_FMT "/%" STR_FMT
			 "_vpcflowlogs_%" STR_FMT "_%" STR_FMT "_%" STR_FMT "_%08" PRIx32 ".log.gz",
			 STR_ARG(folder), folder.n ? "/" : "", STR_ARG(account), STR_ARG(interval->region),
			 STR_ARG(place), STR_ARG(account), STR_ARG(interval->region), STR_ARG(log),
			 STR_ARG(time), (uint32_t) random_u64());
}

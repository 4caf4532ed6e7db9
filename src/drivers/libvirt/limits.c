/* SPDX-License-Identifier: Apache-2.0
 * Applies disk limits: QEMU's throttling, by libvirt's <iotune>, whose elements have the same names as the
 * parameters of the live call. */
#include <inttypes.h>

#include "drivers/libvirt/host.h"

/* The three parameters of one direction. */
#define RATE_OF(word, member)                                                                                \
	{VIR_DOMAIN_BLOCK_IOTUNE_##word##_SEC, offsetof(struct disk_limits, member.rate)},                   \
		{VIR_DOMAIN_BLOCK_IOTUNE_##word##_SEC_MAX, offsetof(struct disk_limits, member.burst)},      \
	{                                                                                                    \
		VIR_DOMAIN_BLOCK_IOTUNE_##word##_SEC_MAX_LENGTH,                                             \
			offsetof(struct disk_limits, member.burst_s),                                        \
			offsetof(struct disk_limits, member.burst) + 1                                       \
	}

static const struct {
	const char *name;
	size_t offset;
	size_t burst; /* for a burst length: offset of its burst rate + 1; without a rate it has no
		       * meaning, and QEMU, which can't store 0, keeps another value */
} rates[] = {
	{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC, offsetof(struct disk_limits, bytes)},
	{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC, offsetof(struct disk_limits, iops)},
	{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC_MAX, offsetof(struct disk_limits, bytes_burst)},
	{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC_MAX, offsetof(struct disk_limits, iops_burst)},
	{VIR_DOMAIN_BLOCK_IOTUNE_SIZE_IOPS_SEC, offsetof(struct disk_limits, iops_size)},
	{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC_MAX_LENGTH, offsetof(struct disk_limits, bytes_burst_s),
	 offsetof(struct disk_limits, bytes_burst) + 1},
	{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC_MAX_LENGTH, offsetof(struct disk_limits, iops_burst_s),
	 offsetof(struct disk_limits, iops_burst) + 1},
	RATE_OF(READ_BYTES, read_bytes),
	RATE_OF(READ_IOPS, read_iops),
	RATE_OF(WRITE_BYTES, write_bytes),
	RATE_OF(WRITE_IOPS, write_iops),
};
enum { RATES = sizeof rates / sizeof rates[0] };

static int64_t value_at(const struct disk_limits *limits, size_t offset)
{
	return *(const int64_t *) (const void *) ((const char *) limits + offset);
}

static int64_t rate_of(const struct disk_limits *limits, size_t k)
{
	return value_at(limits, rates[k].offset);
}

void libvirt_write_limits(struct buf *b, const struct disk_limits *limits)
{
	bool is_limited = false;
	for (size_t k = 0; k < RATES; k++)
		is_limited = is_limited || rate_of(limits, k) > 0;
	if (!is_limited)
		return;
	buf_print(b, "<iotune>");
	for (size_t k = 0; k < RATES; k++)
		if (rate_of(limits, k) > 0)
			buf_print(b, "<%s>%" PRId64 "</%s>", rates[k].name, rate_of(limits, k),
				  rates[k].name);
	buf_print(b, "</iotune>");
}

bool libvirt_has_limits(struct ctx *c, struct xml_tree *t, const struct compute_disk *d)
{
	char id[UUID_TEXT_SIZE];
	uuid_write(d->volume, id); /* part of the file's name */
	for (size_t k = 0; k < RATES; k++) {
		struct str path = str_print(c->arena,
					    "/domain/devices/disk[contains(source/@file, '%s') or "
					    "contains(source/@name, '%s')]/iotune/%s",
					    id, id, rates[k].name);
		struct str text = path.p ? xml_tree_find(c, t, path.p) : STR_NONE;
		int64_t found = 0;
		if (text.n && !result_is_ok(str_parse_int(text, &found)))
			return false;
		bool means_nothing = rates[k].burst && value_at(&d->limits, rates[k].burst - 1) == 0;
		if (found != rate_of(&d->limits, k) && !means_nothing)
			return false;
	}
	return true;
}

RESULT libvirt_set_limits(struct compute_host *h, struct ctx *c, virDomainPtr domain, struct str path,
			  const struct disk_limits *limits)
{
	virTypedParameterPtr values = NULL;
	int count = 0, most = 0, status = 0;
	for (size_t k = 0; k < RATES && status == 0; k++)
		status = virTypedParamsAddULLong(&values, &count, &most, rates[k].name,
						 (unsigned long long) rate_of(limits, k));
	if (status == 0)
		status = virDomainSetBlockIoTune(domain, path.p, values, count, VIR_DOMAIN_AFFECT_LIVE);
	struct result r = status == 0 ? OK
				      : libvirt_fail(h, c, "limiting disk %" STR_FMT " of domain %s",
						     STR_ARG(path), virDomainGetName(domain));
	virTypedParamsFree(values, count);
	return r;
}

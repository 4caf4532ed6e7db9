/* SPDX-License-Identifier: Apache-2.0
 * Rates of EC2's volume types. */
#include "model/disk_limits.h"

#define KIBIBYTE INT64_C(1024)
#define MEBIBYTE (1024 * KIBIBYTE)
#define GIBIBYTE (1024 * MEBIBYTE)
#define TEBIBYTE (1024 * GIBIBYTE)

enum { SSD_OPERATION_KIB = 256, HDD_OPERATION_KIB = 1024 };

static int64_t at_most(int64_t n, int64_t most)
{
	return n < most ? n : most;
}

/* Below 3,000 IOPS: bursts to 3,000, with 5.4 million I/O credits. */
static void limit_gp2(struct disk_limits *l, int64_t size)
{
	enum { BURST = 3000, CREDITS = 5400000 };
	if (l->iops < BURST) {
		l->iops_burst = BURST;
		l->iops_burst_s = CREDITS / BURST;
	}
	l->bytes = (size <= 170 * GIBIBYTE ? 128 : 250) * MEBIBYTE;
}

/* 256 KiB per operation up to 500 MiB/s; from 32,000 IOPS on 16 KiB for each additional one. */
static void limit_io1(struct disk_limits *l, int64_t size)
{
	enum { EVEN = 32000 };
	(void) size;
	l->bytes = at_most(l->iops * 256 * KIBIBYTE, 500 * MEBIBYTE);
	if (l->iops > EVEN)
		l->bytes += (l->iops - EVEN) * 16 * KIBIBYTE;
}

static void limit_io2(struct disk_limits *l, int64_t size)
{
	(void) size;
	l->bytes = at_most(l->iops * 256 * KIBIBYTE, 4000 * MEBIBYTE);
}

/* A rate per TiB, with a burst bucket of the volume's own size. */
static void limit_by_size(struct disk_limits *l, int64_t size, int64_t base, int64_t burst, int64_t most)
{
	int64_t gib = (size + GIBIBYTE - 1) / GIBIBYTE;
	l->bytes = at_most(gib * base * MEBIBYTE / 1024, most * MEBIBYTE);
	l->bytes_burst = at_most(gib * burst * MEBIBYTE / 1024, most * MEBIBYTE);
	if (l->bytes_burst > l->bytes)
		l->bytes_burst_s = size / l->bytes_burst;
	if (l->bytes_burst_s == 0)
		l->bytes_burst = 0;
}

static void limit_st1(struct disk_limits *l, int64_t size)
{
	l->iops = 500;
	limit_by_size(l, size, 40, 250, 500);
}

static void limit_sc1(struct disk_limits *l, int64_t size)
{
	l->iops = 250;
	limit_by_size(l, size, 12, 80, 250);
}

static void limit_standard(struct disk_limits *l, int64_t size)
{
	(void) size;
	l->iops = 200;
	l->bytes = 90 * MEBIBYTE;
}

static const struct {
	const char *name;
	int64_t operation_kib;
	void (*limit)(struct disk_limits *l, int64_t size); /* NULL: iops and throughput are the only
							     * limits */
} types[] = {
	{"gp2", SSD_OPERATION_KIB, limit_gp2},           {"gp3", SSD_OPERATION_KIB, NULL},
	{"io1", SSD_OPERATION_KIB, limit_io1},           {"io2", SSD_OPERATION_KIB, limit_io2},
	{"st1", HDD_OPERATION_KIB, limit_st1},           {"sc1", HDD_OPERATION_KIB, limit_sc1},
	{"standard", HDD_OPERATION_KIB, limit_standard},
};

struct disk_limits model_limit_disk(struct str type, int64_t size, int64_t iops, int64_t throughput)
{
	struct disk_limits limits = {0};
	for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
		if (!str_is(type, types[k].name))
			continue;
		limits.iops = iops;
		limits.iops_size = types[k].operation_kib * KIBIBYTE;
		limits.bytes = throughput * MEBIBYTE;
		if (types[k].limit)
			types[k].limit(&limits, size);
	}
	return limits;
}

/* ---- QoS specs ---- */

static bool read_spec(struct tags specs, const char *key, int64_t *ret_number)
{
	const struct tag *spec = tags_find(specs, str_from(key));
	return spec && str_parse_int(spec->value, ret_number).code == ERR_NONE && *ret_number > 0;
}

/* Without a length, a burst lasts one second, as in QEMU. */
static void limit_rate(struct tags specs, int64_t size, const char *const keys[static 3], int64_t *rate,
		       int64_t *burst, int64_t *burst_s)
{
	int64_t said = 0, gib = (size + GIBIBYTE - 1) / GIBIBYTE;
	if (!read_spec(specs, keys[0], &said) &&
	    !(read_spec(specs, keys[1], &said) && !__builtin_mul_overflow(said, gib, &said)))
		return;
	*rate = said;
	*burst = *burst_s = 0;
	if (read_spec(specs, keys[2], &said) && said > *rate) {
		*burst = said;
		*burst_s = 1;
	}
}

#define KEYS(key)                                                                                            \
	{                                                                                                    \
		key, key "_per_gb", key "_max"                                                               \
	}

static bool limit_direction(struct tags specs, int64_t size, const char *const keys[static 3],
			    struct disk_rate *rate)
{
	limit_rate(specs, size, keys, &rate->rate, &rate->burst, &rate->burst_s);
	return rate->rate;
}

void model_limit_by_specs(struct tags specs, int64_t size, struct disk_limits *limits)
{
	static const char *const iops[] = KEYS("total_iops_sec"), *const bytes[] = KEYS("total_bytes_sec"),
				 *const read_iops[] = KEYS("read_iops_sec"),
				 *const write_iops[] = KEYS("write_iops_sec"),
				 *const read_bytes[] = KEYS("read_bytes_sec"),
				 *const write_bytes[] = KEYS("write_bytes_sec");
	struct disk_limits l = {0}, *out = limits;
	int64_t said = 0;
	limit_rate(specs, size, iops, &l.iops, &l.iops_burst, &l.iops_burst_s);
	limit_rate(specs, size, bytes, &l.bytes, &l.bytes_burst, &l.bytes_burst_s);
	bool by_iops = !l.iops && (limit_direction(specs, size, read_iops, &l.read_iops) |
				   limit_direction(specs, size, write_iops, &l.write_iops));
	bool by_bytes = !l.bytes && (limit_direction(specs, size, read_bytes, &l.read_bytes) |
				     limit_direction(specs, size, write_bytes, &l.write_bytes));
	if (l.iops || by_iops) {
		out->iops = l.iops, out->iops_burst = l.iops_burst, out->iops_burst_s = l.iops_burst_s;
		out->read_iops = l.read_iops, out->write_iops = l.write_iops;
	}
	if (l.bytes || by_bytes) {
		out->bytes = l.bytes, out->bytes_burst = l.bytes_burst, out->bytes_burst_s = l.bytes_burst_s;
		out->read_bytes = l.read_bytes, out->write_bytes = l.write_bytes;
	}
	if (read_spec(specs, "size_iops_sec", &said))
		limits->iops_size = said;
}

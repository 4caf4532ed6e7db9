/* SPDX-License-Identifier: Apache-2.0
 * Domain definitions in libvirt's XML: the required elements, and the wishes that change the digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "drivers/libvirt/host.h"
#include "model/host.h"
#include "model/instance.h"

#define MIB (INT64_C(1) << 20)

struct fixture {
	struct ctx c;
	struct domain_place place;
	struct compute_disk disks[2];
	struct compute_nic nics[1];
	struct compute_domain wish;
	struct str xml;
	char digest[DOMAIN_DIGEST_SIZE];
};

static uuid id_of(const char *text)
{
	uuid u = UUID_NONE;
	assert_true(result_is_ok(uuid_parse(str_from(text), &u)));
	return u;
}

static struct fixture *make(struct arena *a)
{
	struct fixture *f = arena_new_object(a, struct fixture);
	ctx_init(&f->c, a);
	f->place = (struct domain_place){.region = id_of("0badcafe-0000-4000-8000-000000000001"),
					 .pool_path = STR("/pool"),
					 .virt = HOST_SEEN_VIRT_KVM};
	f->disks[0] = (struct compute_disk){.volume = id_of("01234567-89ab-4cde-8012-3456789abcde"),
					    .size = 8 * MIB};
	f->disks[1] = (struct compute_disk){.volume = id_of("fedcba98-7654-4321-8fed-cba987654321"),
					    .slot = COMPUTE_DISK_SLOTS - 1};
	f->nics[0] = (struct compute_nic){.port = id_of("aabbccdd-eeff-4011-8233-445566778899"),
					  .mac = {{2, 1, 2, 3, 4, 5}},
					  .mtu = 1442,
					  .slot = 2};
	f->wish = (struct compute_domain){.id = id_of("ec2f00d0-1111-4222-8333-444455556666"),
					  .name = STR("i-<&>"),
					  .vcpus = 2,
					  .memory = 512 * MIB,
					  .disks = f->disks,
					  .disk_count = 2,
					  .nics = f->nics,
					  .nic_count = 1};
	return f;
}

static void write(struct fixture *f)
{
	assert_true(result_is_ok(libvirt_write_domain(&f->c, &f->place, &f->wish, &f->xml, f->digest)));
}

static void assert_has(const struct fixture *f, const char *part)
{
	if (!str_contains(f->xml, str_from(part)))
		fail_msg("no %s in %" STR_FMT, part, STR_ARG(f->xml));
}

static struct ceph_place ceph_of(const struct str *monitors, size_t count)
{
	return (struct ceph_place){.id = id_of("ceff0000-0000-4000-8000-000000000001"),
				   .monitors = {monitors, count},
				   .pool = STR("vms"),
				   .user = STR("dari"),
				   .key = STR("AQBLrgRrD3BGAxAA8gBnzE0917D+iev7Ldn3yQ==")};
}

/* An image in a pool of Ceph: by its monitors and a secret's UUID, and never with its key. Its size is part of what is
 * noticed later. */
static void test_ceph(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 * MIB);
	struct fixture *f = make(a);
	const struct str monitors[] = {STR("10.0.0.1:6789"), STR("[fd00::1]:3300"), STR("mon.example")};
	struct ceph_place place = ceph_of(monitors, 3);
	char before[DOMAIN_DIGEST_SIZE];
	f->disks[0].ceph = &place;
	f->disks[0].slot = 1;
	write(f);
	assert_has(f, "<disk type='network' device='disk'><driver name='qemu' type='raw' cache='none' "
		      "discard='unmap'/><source protocol='rbd' "
		      "name='vms/dari-0badcafe-vol-01234567-89ab-4cde-8012-3456789abcde'>"
		      "<host name='10.0.0.1' port='6789'/><host name='fd00::1' port='3300'/>"
		      "<host name='mon.example'/><auth username='dari'><secret type='ceph' "
		      "uuid='ceff0000-0000-4000-8000-000000000001'/></auth></source>"
		      "<target dev='vdb' bus='virtio'/>");
	assert_has(f, "<source file='/pool/dari-0badcafe-vol-fedcba98-7654-4321-8fed-cba987654321.qcow2'/>");
	assert_false(str_contains(f->xml, place.key));
	const struct disk_key key = {"00112233445566778899aabbccddeeff"};
	f->disks[0].key = &key;
	write(f);
	assert_has(f,
		   "uuid='ceff0000-0000-4000-8000-000000000001'/></auth><encryption format='luks'><secret "
		   "type='passphrase' uuid='01234567-89ab-4cde-8012-3456789abcde'/></encryption></source>");
	assert_false(str_contains(f->xml, STR("00112233445566778899aabbccddeeff")));
	f->disks[0].key = NULL;
	write(f);
	memcpy(before, f->digest, sizeof before);
	f->disks[1].size += 512; /* a file's size is set by other means than the definition */
	write(f);
	assert_string_equal(before, f->digest);
	f->disks[0].size += 512;
	write(f);
	assert_string_not_equal(before, f->digest);
	f->disks[0].is_medium = true;
	f->wish.hardware.cdrom = true;
	write(f);
	assert_has(
		f,
		"<disk type='network' device='cdrom'><driver name='qemu' type='raw'/><source protocol='rbd'");
}

static void expect_refused(struct fixture *f)
{
	struct str xml = STR_NONE;
	char digest[DOMAIN_DIGEST_SIZE];
	struct result r = libvirt_write_domain(&f->c, &f->place, &f->wish, &xml, digest);
	assert_int_equal(r.code, ERR_INVALID);
	ctx_clear_problem(&f->c);
}

/* Values that could inject another XML element are refused. */
static void test_ceph_refused(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 * MIB);
	struct fixture *f = make(a);
	const struct str good = STR("10.0.0.1:6789"), bad = STR("10.0.0.1'/><a b='");
	struct ceph_place place = ceph_of(&bad, 1);
	f->disks[0].ceph = &place;
	expect_refused(f);
	place = ceph_of(&good, 0);
	expect_refused(f);
	place = ceph_of(&good, 1);
	place.pool = STR("vms'/>");
	expect_refused(f);
	place = ceph_of(&good, 1);
	place.user = STR("<");
	expect_refused(f);
}

static void test_whole(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 * MIB);
	struct fixture *f = make(a);
	write(f);
	assert_has(f, "<domain type='kvm'><metadata><dari:instance xmlns:dari='urn:dari:instance:1' "
		      "region='0badcafe-0000-4000-8000-000000000001' "
		      "id='ec2f00d0-1111-4222-8333-444455556666' wish='");
	assert_has(f, f->digest);
	assert_has(f, "<uuid>ec2f00d0-1111-4222-8333-444455556666</uuid><name>i-&lt;&amp;&gt;</name>");
	assert_has(f, "<memory unit='KiB'>524288</memory><vcpu placement='static'>2</vcpu>");
	assert_has(f, "<source file='/pool/dari-0badcafe-vol-01234567-89ab-4cde-8012-3456789abcde.qcow2'/>"
		      "<target dev='vda' bus='virtio'/><serial>vol0123456789ab4cde8</serial><boot "
		      "order='1'/><alias name='ua-01234567-89ab-4cde-8012-3456789abcde-0'/>"
		      "<address type='pci' bus='9' slot='0'/></disk>");
	assert_has(f, "<target dev='vdz' bus='virtio'/><serial>volfedcba98765443218</serial>"
		      "<alias name='ua-fedcba98-7654-4321-8fed-cba987654321-25'/>"
		      "<address type='pci' bus='34' slot='0'/></disk>");
	assert_has(f, "<alias name='ua-aabbccdd-eeff-4011-8233-445566778899'/>"
		      "<address type='pci' bus='3' slot='0'/></interface>");
	assert_has(f, "<controller type='pci' index='34' model='pcie-root-port'><target chassis='34' "
		      "port='34'/><address type='pci' bus='0' slot='6' function='1'/></controller>");
	assert_has(f, "<virtualport type='openvswitch'><parameters "
		      "interfaceid='aabbccdd-eeff-4011-8233-445566778899'/>"
		      "</virtualport><target dev='dtaabbccddeef'/>");
	assert_has(f, "<mac address='02:01:02:03:04:05'/>");
	assert_has(f, "<mtu size='1442'/>");
	assert_has(f, "<log file='/pool/console/dari-0badcafe-ec2f00d0-1111-4222-8333-444455556666.log' "
		      "append='on'/>");
	assert_false(str_contains(f->xml, STR("csum='off'"))); /* the kernel's datapath needs no help */
	AUTO(xml_tree) t = NULL;
	assert_true(result_is_ok(xml_tree_parse(&f->c, f->xml, &t)));
	assert_true(str_is(xml_tree_find(&f->c, t, "/domain/metadata/d:instance/@wish"), f->digest));
	assert_true(str_is(xml_tree_find(&f->c, t, "/domain/name"), "i-<&>"));
	assert_true(str_is(xml_tree_find(&f->c, t, "/domain/nothing"), ""));
}

static void test_emulated(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 * MIB);
	struct fixture *f = make(a);
	f->place.virt = HOST_SEEN_VIRT_TCG;
	write(f);
	assert_has(f, "<domain type='qemu'>");
	assert_has(f, "<driver><host csum='off' gso='off' tso4='off' tso6='off'");
	assert_has(f, "cache='writeback'");
}

static void test_personalities(void **state)
{
	(void) state;
	static const struct {
		enum instance_personality personality;
		const char *part;
	} rows[] = {
		{INSTANCE_PERSONALITY_EC2,
		 "<entry name='serial'>ec2f00d0-1111-4222-8333-444455556666</entry>"},
		{INSTANCE_PERSONALITY_OPENSTACK, "<entry name='product'>OpenStack Nova</entry>"},
		{INSTANCE_PERSONALITY_CLOUDSTACK, "<entry name='product'>CloudStack KVM Hypervisor</entry>"},
		{INSTANCE_PERSONALITY_AZURE,
		 "<chassis><entry name='asset'>7783-7084-3265-9085-8269-3286-77</entry></chassis>"},
		/* not the UUID, by which they would be EC2's */
		{INSTANCE_PERSONALITY_OPENSTACK,
		 "<entry name='serial'>ec2f00d0111142228333444455556666</entry>"},
		{INSTANCE_PERSONALITY_AZURE, "<entry name='serial'>ec2f00d0111142228333444455556666</entry>"},
		/* by which systemd tells Azure's agent where it is */
		{INSTANCE_PERSONALITY_AZURE, "<entry name='version'>Hyper-V UEFI Release v4.1</entry>"},
		{INSTANCE_PERSONALITY_AZURE, "<hyperv mode='custom'>"},
		{INSTANCE_PERSONALITY_NOCLOUD, "<entry name='serial'>ds=nocloud</entry>"},
	};
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 * MIB);
	struct fixture *f = make(a);
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		f->wish.personality = rows[k].personality;
		write(f);
		assert_has(f, rows[k].part);
		assert_has(f, "<entry name='uuid'>ec2f00d0-1111-4222-8333-444455556666</entry>");
	}
}

/* With TCG, the CPU's own hypervisor signature must say Azure, because guests read it before SMBIOS. */
static void test_emulated_azure(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 * MIB);
	struct fixture *f = make(a);
	f->place.virt = HOST_SEEN_VIRT_TCG;
	write(f);
	assert_false(str_contains(f->xml, STR("name='hypervisor'")));
	f->wish.personality = INSTANCE_PERSONALITY_AZURE;
	write(f);
	assert_has(
		f,
		"<feature policy='disable' name='la57'/><feature policy='disable' name='hypervisor'/></cpu>");
	assert_false(str_contains(f->xml, STR("hyperv ")));
	f->wish.cpu = STR("EPYC AMD hypervisor x2apic");
	write(f);
	assert_has(f, "<feature policy='require' name='x2apic'/><feature policy='disable' "
		      "name='hypervisor'/></cpu>");
	assert_false(str_contains(f->xml, STR("policy='require' name='hypervisor'")));
}

static void test_hardware(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 * MIB);
	struct fixture *f = make(a);
	write(f);
	assert_has(f, "<os><type arch='x86_64' machine='q35'>hvm</type><smbios mode='sysinfo'/></os>"
		      "<features><acpi/><apic/></features>");
	assert_has(f, "<clock offset='utc'/>");
	assert_false(str_contains(f->xml, STR("tpm")));
	f->disks[1].slot = 7;
	f->wish.hardware = (struct compute_hardware){.windows = true,
						     .uefi = true,
						     .secure_boot = true,
						     .tpm = true,
						     .sata = true,
						     .e1000e = true};
	write(f);
	assert_has(f, "<os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type><firmware>"
		      "<feature enabled='yes' name='secure-boot'/><feature enabled='yes' "
		      "name='enrolled-keys'/></firmware>");
	assert_has(f, "<hyperv mode='custom'>");
	assert_has(f, "<smm state='on'/>");
	assert_has(f, "<clock offset='localtime'>");
	assert_has(f, "<timer name='hypervclock' present='yes'/>");
	assert_has(f, "<tpm model='tpm-crb'>");
	assert_has(f, "<target dev='sda' bus='sata'/>");
	assert_has(f, "<target dev='sdh' bus='sata'/>");
	assert_has(f, "<address type='drive' controller='1' bus='0' target='0' unit='1'/></disk>");
	assert_has(f, "<model type='e1000e'/>");
	f->place.virt =
		HOST_SEEN_VIRT_TCG; /* emulation has nothing of Hyper-V, e1000e no offloads to turn off */
	f->wish.hardware.secure_boot = false;
	write(f);
	assert_has(f, "<feature enabled='no' name='secure-boot'/></firmware>");
	assert_false(str_contains(f->xml, STR("hyperv")) || str_contains(f->xml, STR("csum")) ||
		     str_contains(f->xml, STR("smm")));
}

static void test_digest(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 * MIB);
	struct fixture *f = make(a), *g = make(a);
	write(f);
	write(g);
	assert_string_equal(f->digest, g->digest);
	g->disks[0].size = 16 * MIB; /* the disk's own business */
	write(g);
	assert_string_equal(f->digest, g->digest);
	g->nics[0].mtu = 1400;
	write(g);
	assert_string_not_equal(f->digest, g->digest);
	g = make(a);
	g->wish.memory = 768 * MIB;
	write(g);
	assert_string_not_equal(f->digest, g->digest);
	g = make(a);
	g->disks[1].slot = 1;
	write(g);
	assert_string_not_equal(f->digest, g->digest);
	g = make(a);
	g->place.virt = HOST_SEEN_VIRT_TCG;
	write(g);
	assert_string_not_equal(f->digest, g->digest);
}

static void test_manifest(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 * MIB);
	struct fixture *f = make(a), *g = make(a);
	g->wish.manifest = STR("{\"a\": \"<&'>\"}");
	write(f);
	write(g);
	assert_string_equal(f->digest, g->digest);
	assert_false(str_contains(f->xml, STR("<manifest>")));
	AUTO(xml_tree) t = NULL;
	assert_true(result_is_ok(xml_tree_parse(&g->c, g->xml, &t)));
	assert_true(
		str_equal(xml_tree_find(&g->c, t, "/domain/metadata/d:instance/manifest"), g->wish.manifest));
	g->wish.manifest = STR("a\x01z");
	assert_int_equal(libvirt_write_domain(&g->c, &g->place, &g->wish, &g->xml, g->digest).code,
			 ERR_INVALID);
}

static void test_refused(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 * MIB);
	struct fixture *f = make(a);
	f->wish.vcpus = 0;
	assert_int_equal(libvirt_write_domain(&f->c, &f->place, &f->wish, &f->xml, f->digest).code,
			 ERR_INVALID);
	f = make(a);
	f->disks[1].slot = COMPUTE_DISK_SLOTS;
	assert_int_equal(libvirt_write_domain(&f->c, &f->place, &f->wish, &f->xml, f->digest).code,
			 ERR_RANGE);
}

/* Unreachable servers and invalid URIs fail at once, with a message. */
static void test_reach(void **state)
{
	(void) state;
	static const struct {
		const char *uri;
		enum err err;
	} rows[] = {
		{"qemu+unix:///system?socket=/nonexistent/sock", ERR_GONE},
		{"qemu+tcp://127.0.0.1:1/system", ERR_GONE},
		{"qemu+tls://[::1]:1/system", ERR_GONE},
		{"qemu+ssh://root@localhost:1/system", ERR_GONE},
		{"nonsense", ERR_INVALID},
		{"", ERR_INVALID},
	};
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 * MIB);
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct ctx c;
		ctx_init(&c, a);
		struct result r = libvirt_reach(&c, rows[k].uri, clock_system_us() + 1000000);
		if (r.code != rows[k].err)
			fail_msg("%s: %s %" STR_FMT, rows[k].uri, err_name(r.code),
				 STR_ARG(c.problem.message));
		assert_true(c.problem.message.n > 0);
	}
}

/* The drive is behind all that can be plugged, and no disk's name or place is another for it. */
static void test_drive(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 * MIB);
	struct fixture *f = make(a);
	char without[DOMAIN_DIGEST_SIZE];
	write(f);
	memcpy(without, f->digest, sizeof without);
	assert_false(str_contains(f->xml, STR("-cfg-")));
	f->wish.has_drive = true;
	write(f);
	assert_string_not_equal(f->digest, without);
	assert_has(f, "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source "
		      "file='/pool/dari-0badcafe-cfg-ec2f00d0-1111-4222-8333-444455556666.iso'/><target "
		      "dev='vdaa' bus='virtio'/><readonly/><address type='pci' bus='35' slot='0'/></disk>");
	assert_has(f, "<controller type='pci' index='35' model='pcie-root-port'>");
	f->wish.personality = INSTANCE_PERSONALITY_AZURE;
	write(f);
	assert_has(f, "<controller type='scsi' index='0' model='virtio-scsi'><address type='pci' bus='35' "
		      "slot='0'/>"
		      "</controller><disk type='file' device='cdrom'>");
	assert_has(f,
		   "<target dev='sdaa' bus='scsi'/><readonly/><address type='drive' controller='0' bus='0' "
		   "target='0' unit='0'/></disk>");
	f->wish.hardware.windows = true;
	write(f);
	assert_has(f,
		   "<target dev='sdaa' bus='sata'/><readonly/><address type='drive' controller='0' bus='0' "
		   "target='0' unit='1'/></disk>");
	f->wish.hardware.sata = true;
	write(f);
	assert_has(f, "device='cdrom'");
	assert_has(f,
		   "<target dev='sdaa' bus='sata'/><readonly/><address type='drive' controller='4' bus='0' "
		   "target='0' unit='2'/></disk>");
	f->wish.drive = (struct compute_files){.at = &(struct compute_file){STR("a"), STR("b")}, .count = 1};
	memcpy(without, f->digest, sizeof without);
	write(f);
	assert_string_equal(f->digest, without);
}

/* The processor and the machine that the row keeps, or the host's own. */
static void test_processor(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 * MIB);
	struct fixture *f = make(a);
	char before[DOMAIN_DIGEST_SIZE];
	write(f);
	assert_has(f, "<cpu mode='host-passthrough' check='none' migratable='on'/>");
	assert_has(f, "machine='q35'>");
	memcpy(before, f->digest, sizeof before);
	f->wish.cpu = STR("EPYC AMD aes -rdseed sse4.2");
	f->wish.machine = STR("pc-q35-7.2");
	write(f);
	assert_has(f, "machine='pc-q35-7.2'>");
	assert_has(f, "<cpu mode='custom' match='exact' check='partial'><model fallback='forbid'>EPYC</model>"
		      "<feature policy='require' name='aes'/><feature policy='disable' name='rdseed'/>"
		      "<feature policy='require' name='sse4.2'/></cpu>");
	assert_string_not_equal(before, f->digest);
	f->wish.cpu = STR_NONE;
	f->place.virt = HOST_SEEN_VIRT_TCG;
	write(f);
	assert_has(f, "<cpu mode='maximum' check='none'><feature policy='disable' name='la57'/></cpu>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drive),          cmocka_unit_test(test_ceph),
		cmocka_unit_test(test_ceph_refused),   cmocka_unit_test(test_whole),
		cmocka_unit_test(test_processor),      cmocka_unit_test(test_emulated),
		cmocka_unit_test(test_personalities),  cmocka_unit_test(test_digest),
		cmocka_unit_test(test_manifest),       cmocka_unit_test(test_refused),
		cmocka_unit_test(test_emulated_azure), cmocka_unit_test(test_hardware),
		cmocka_unit_test(test_reach),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

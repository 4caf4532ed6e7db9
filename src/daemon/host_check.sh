# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154 # our_time and pool are assigned in lines that the caller puts before this
# Reports what a host lacks. `dari host check` sends this script to a shell on the host; it changes nothing there.
# Prints a line for each part, with tabs between: dari-check, ok or note or wrong, the part, the finding, the advice.
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
clock_most_s=15 # connecting takes its time, too

# judge PART ADVICE COMMAND…: the command prints its finding; its status is 0 if that is fine, 2 for a note, else wrong.
judge() {
	part=$1 advice=$2
	shift 2
	found=$("$@" 2>&1)
	case $? in
	0) state=ok ;;
	2) state=note ;;
	*) state=wrong ;;
	esac
	printf 'dari-check\t%s\t%s\t%s\t%s\n' "$state" "$part" "$(printf %s "$found" | tr '\n\t' '  ')" "$advice"
}

ovs() { ovs-vsctl --timeout=5 "$@"; }
external_id() { ovs --if-exists get Open_vSwitch . "external_ids:$1" | tr -d '"'; }

look_at_user() {
	id -un
	[ "$(id -u)" = 0 ]
}

look_at_system() {
	id=$(sed -n 's/^ID=//p' /etc/os-release | tr -d '"')
	version_id=$(sed -n 's/^VERSION_ID=//p' /etc/os-release | tr -d '"')
	echo "$id $version_id, $(uname -m)"
	[ "$id $version_id" = "debian 12" ] || return 2
	[ "$(uname -m)" = x86_64 ]
}

look_at_clock() {
	apart=$(($(date +%s) - our_time))
	[ "$apart" -ge 0 ] || apart=$((-apart))
	synchronized=$(timedatectl show --property=NTPSynchronized --value 2>/dev/null)
	if [ "$apart" -gt "$clock_most_s" ]; then
		echo "$apart s from the clock here"
		return 1
	fi
	echo "as here; synchronized: ${synchronized:-unknown}"
	[ "$synchronized" = yes ] || return 2
}

look_at_kvm() {
	if [ -c /dev/kvm ]; then
		echo /dev/kvm
	else
		echo "no /dev/kvm: guests are emulated, and slow"
		return 2
	fi
}

look_at_libvirt() {
	command -v qemu-system-x86_64 >/dev/null || { echo "no qemu-system-x86_64"; return 1; }
	said=$(virsh --connect qemu:///system version 2>&1) || { echo "$said"; return 1; }
	printf '%s\n' "$said" | sed -n 's/^Running hypervisor: //p'
}

look_at_guests_service() {
	state=$(systemctl is-active libvirt-guests.service 2>/dev/null)
	echo "${state:-not there}"
	[ "$state" != active ]
}

look_at_firmware() {
	lack=
	[ -e /usr/share/OVMF/OVMF_CODE_4M.fd ] || lack="$lack ovmf"
	command -v swtpm >/dev/null || lack="$lack swtpm"
	command -v swtpm_setup >/dev/null || lack="$lack swtpm-tools"
	[ -z "$lack" ] || { echo "lacks$lack"; return 2; }
	echo "UEFI and TPM"
}

look_at_pool() {
	[ -d "$pool" ] || { echo "no directory $pool"; return 1; }
	[ -w "$pool" ] || { echo "$pool cannot be written to"; return 1; }
	room=$(df -Pk "$pool" | awk 'NR == 2 { print int($4 / 1024) " MiB free, " $5 " used" }')
	echo "$pool: $room"
	used=${room#*, }
	[ "${used%%%*}" -lt 97 ]
}

look_at_name() {
	name=$(external_id system-id) || { echo "$name"; return 1; }
	[ -n "$name" ] || { echo "Open vSwitch has no system-id"; return 1; }
	echo "$name"
}

look_at_remote() {
	remote=$(external_id ovn-remote)
	[ -n "$remote" ] || { echo "not set"; return 1; }
	echo "$remote"
}

look_at_tunnels() {
	types=$(external_id ovn-encap-type) address=$(external_id ovn-encap-ip)
	echo "${types:-no ovn-encap-type}, ${address:-no ovn-encap-ip}"
	[ "$types" = geneve ] && [ -n "$address" ] && ip -o address show | tr '/' ' ' | grep -qF " $address "
}

look_at_controller() {
	state=$(ovn-appctl -t ovn-controller connection-status 2>&1)
	echo "$state"
	[ "$state" = connected ]
}

look_at_bridges() {
	mappings=$(external_id ovn-bridge-mappings)
	[ -n "$mappings" ] || { echo "none: no outside network is reached from here"; return 2; }
	for mapping in $(echo "$mappings" | tr ',' ' '); do
		ovs br-exists "${mapping#*:}" || { echo "$mapping, but there is no bridge ${mapping#*:}"; return 1; }
	done
	echo "$mappings"
}

look_at_certificate() {
	certificate=/etc/pki/libvirt/servercert.pem
	[ -e "$certificate" ] || { echo "none: only qemu+ssh:// gets in"; return 0; }
	openssl x509 -in "$certificate" -noout -enddate
	openssl x509 -in "$certificate" -noout -checkend 1209600 >/dev/null # two weeks
}

judge user 'Dari works on hosts as root: dari host check root@ADDRESS.' look_at_user
judge system 'Dari is tested with hosts of Debian 12 on x86_64.' look_at_system
judge clock 'TLS and signed requests need the time: apt install chrony.' look_at_clock
judge virtualization "Switch it on in the machine's firmware, or nested in the hypervisor below." look_at_kvm
judge libvirt 'apt install dari-host, and see that libvirtd runs: systemctl status libvirtd.' look_at_libvirt
judge libvirt-guests 'It stops guests with the host as if they wished it: apt install dari-host, or disable it, and restart the host while it is empty.' look_at_guests_service
judge firmware 'Images that ask for UEFI or a TPM do not start here: apt install what is lacking.' look_at_firmware
judge pool 'dari host check --pool names another directory for disks, as dari host add does.' look_at_pool
judge system-id "ovs-vsctl set Open_vSwitch . external_ids:system-id=NAME, the host's name in dari host add; without ovs-vsctl: apt install dari-host." look_at_name
judge ovn-remote "ovs-vsctl set Open_vSwitch . external_ids:ovn-remote=tcp:ADDRESS:6642, of OVN's southbound database." look_at_remote
judge tunnels 'ovn-encap-type has to be geneve, and ovn-encap-ip an address of this host that the other hosts reach.' look_at_tunnels
judge ovn-controller 'See its log, /var/log/ovn/ovn-controller.log: as a rule ovn-remote does not lead to the southbound database.' look_at_controller
judge bridges 'ovs-vsctl add-br br-ex, add the outer interface to it, and map it: external_ids:ovn-bridge-mappings=physnet1:br-ex.' look_at_bridges
judge certificate 'Renew it: the server cannot reach the host by qemu+tls:// after that.' look_at_certificate
printf 'dari-check\tend\n'

# SPDX-License-Identifier: BSD-2-Clause
# A front for meson: the few things that a newcomer, a packager and CI do.
#
#   make            build build/sonde
#   make demo       install what is missing, build, and run on the built-in simulated network
#   make check      build, and run all tests that need no root; a minute or two, says what is missing
#   make test       install what the tests need, build and run them all; half an hour
#   make bench      install the tools to compare with, and measure them and sonde (a quarter of an hour)
#   make install    as meson does, with DESTDIR= and PREFIX=; as root, with a file capability (SETCAP=true)

BUILD_PACKAGES = gcc libc6-dev libc-ares-dev libcap-dev libcjson-dev libseccomp-dev meson nettle-dev \
	ninja-build pkgconf python3
SERVER_PACKAGES = avahi-daemon bind9 bird2 caddy chrony coturn dnsdist dnsmasq-base freeradius gnutls-bin \
	kamailio knot krb5-kdc libcoap3-bin llmnrd memcached ngtcp2-server nsd openssh-client \
	openssh-server opensmtpd openssl openvpn pdns-backend-bind pdns-recursor pdns-server rsyslog samba \
	snmpd strongswan-charon strongswan-starter tftpd-hpa unbound vsftpd xl2tpd xrdp
CHECK_PACKAGES = $(BUILD_PACKAGES) bash clang-format-14 fish g++ libcriterion-dev libuv1-dev python3-jsonschema zsh
TEST_PACKAGES = $(CHECK_PACKAGES) $(SERVER_PACKAGES) clang-14 clang-tidy-14 conntrack \
	iproute2 iputils-ping libcap2-bin libclang-rt-14-dev libusrsctp2 mandoc mtr-tiny nftables procps \
	slirp4netns tcpdump traceroute universal-ctags util-linux valgrind
BENCH_PACKAGES = $(BUILD_PACKAGES) $(SERVER_PACKAGES) fping iproute2 iputils-ping libcriterion-dev libuv1-dev mtr-tiny nftables nmap \
	python3-jsonschema scamper traceroute util-linux
PREFIX ?= /usr/local
SETCAP ?= true
DEMO = web.example :443 :80 :22 :25 :3389 :53/udp

.PHONY: all demo check test bench install clean format \
	packages-build packages-check packages-test packages-bench

all: build/build.ninja
	ninja -C build sonde

build/build.ninja:
	meson setup build --prefix='$(PREFIX)' -Dtests=false

packages-build:
	tests/support/install-packages.sh $(BUILD_PACKAGES)

packages-check:
	tests/support/install-packages.sh $(CHECK_PACKAGES)

packages-test:
	tests/support/install-packages.sh $(TEST_PACKAGES)

packages-bench:
	tests/support/install-packages.sh $(BENCH_PACKAGES)

demo: packages-build
	$(MAKE) all
	@echo; echo '$$ sonde --simulate demo $(DEMO)'
	@# 1: some services do not answer, which is what the demonstration is about
	@build/sonde --simulate demo $(DEMO); [ $$? -eq 1 ]

check:
	tests/check.sh

test: packages-test
	tests/run-all.sh

bench: packages-bench
	[ -e build-bench/build.ninja ] || meson setup build-bench >/dev/null
	ninja -C build-bench --quiet
	ninja -C build-bench bench

install: build/build.ninja
	meson configure build --prefix='$(PREFIX)' -Dsetcap='$(SETCAP)'
	ninja -C build
	DESTDIR='$(DESTDIR)' meson install -C build --no-rebuild

format:
	clang-format-14 -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build build-test build-san build-clang build-tidy build-bench build-mutants

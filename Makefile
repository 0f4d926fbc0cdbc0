jar single test soak clients run clean:
	./build.sh $@

.PHONY: jar single test soak clients run clean

jar single test soak clients real run clean:
	./build.sh $@

.PHONY: jar single test soak clients real run clean

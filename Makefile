jar single test run clean:
	./build.sh $@

.PHONY: jar single test run clean

jar single test soak clients real bench aot run clean:
	./build.sh $@

.PHONY: jar single test soak clients real bench aot run clean

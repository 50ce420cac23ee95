"""Who collects the money: Alipay, WeChat Pay and the province's non-tax revenue platform, behind one protocol."""
